import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";

/** What was measured on, and with what: versions, no names. */
export function machine(): string {
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { env: { PATH: `${process.env.PATH}:/usr/sbin` } }).toString();
  const version = (program: string, ...args: string[]) =>
    /\d+\.[\w.]+/.exec(run(program, ...args))?.[0] ?? "?";
  const packages = ["courier-authlib-mysql", "dovecot-core", "ucspi-tcp", "tinycdb"];
  const debian = run("dpkg-query", "-W", ...packages)
    .trim()
    .replaceAll("\t", " ")
    .replaceAll("\n", ", ");
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  return [
    `- ${cpus()[0]?.model} (${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB), Linux ${release().split("-")[0]}, ${system}; scratch files on ${fileSystem(run)}`,
    `- Bun ${process.versions.bun}; MariaDB ${version("mariadbd", "--version").replace(/^Ver /, "")}; SQLite ${version("sqlite3", "--version")} (C)`,
    `- gcc ${version("cc", "-dumpfullversion")}; hyperfine ${version("hyperfine", "--version")}; ${debian}`,
  ].join("\n");
}

function fileSystem(run: (program: string, ...args: string[]) => string): string {
  return run("stat", "-f", "-c", "%T", process.env.TMPDIR ?? "/tmp").trim();
}
