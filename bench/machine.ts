import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import type { MariaDb } from "../test/lib/mariadb.ts";

/** What was measured on, and with what: versions, no names. */
export function machine(server: MariaDb): string {
  const firstLine = (program: string, ...args: string[]) =>
    execFileSync(program, args).toString().split("\n", 1)[0] ?? "";
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  return [
    `- ${cpus()[0]?.model} (${cpus().length} cores), Linux ${release().split("-")[0]}, ${system}`,
    `- Bun ${process.versions.bun}; MariaDB ${server.sql("SELECT VERSION()").trim()}; SQLite ${firstLine("sqlite3", "--version").split(" ", 1)[0]} (C)`,
    `- ${firstLine("cc", "--version")}; ${firstLine("hyperfine", "--version")}`,
    `- load average at the end: ${loadavg()[0]?.toFixed(1)} (above 1, something else ran, and ratios rise)`,
  ].join("\n");
}
