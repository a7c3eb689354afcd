import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { fileSystemOf } from "../lib/file-system.ts";

const PACKAGES = ["courier-authlib-mysql", "dovecot-core", "ucspi-tcp", "tinycdb"];
const SOURCES = ["packages", "scripts", "package-lock.json"];

const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, {
    env: { PATH: `${process.env.PATH}:/usr/sbin` },
    stdio: ["ignore", "pipe", "ignore"],
  }).toString();
const version = (program: string, ...args: string[]) => /\d+\.[\w.]+/.exec(run(program, ...args))?.[0] ?? "?";

/** The machine and the versions of the software; no host names. */
export function machine(): string {
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  const hardware = `${cpus()[0]?.model} (${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB)`;
  const debian = run("dpkg-query", "-W", ...PACKAGES)
    .trim()
    .replaceAll("\t", " ")
    .replaceAll("\n", ", ");
  return [
    `${hardware}, Linux ${release().split("-")[0]}, ${system}`,
    `scratch files on ${fileSystemOf(tmpdir())}`,
    `Bun ${process.versions.bun}`,
    `MariaDB ${version("mariadbd", "--version")}`,
    `SQLite ${version("sqlite3", "--version")} (C)`,
    `gcc ${version("cc", "-dumpfullversion")}`,
    `hyperfine ${version("hyperfine", "--version")}`,
    debian,
  ].join("; ");
}

/** The commit that is measured; undefined outside a repository. */
export function commit(): string {
  try {
    const changes = run("git", "status", "--porcelain", "--", ...SOURCES).trim();
    return `${run("git", "rev-parse", "--short", "HEAD").trim()}${changes ? " with changes" : ""}`;
  } catch {
    return "unknown";
  }
}
