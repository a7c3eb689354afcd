import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A memory cgroup, to simulate a machine of that size. */
export interface MemoryCgroup {
  /** A prefix for a command that is to run in it. */
  readonly wrap: readonly string[];
  remove(): void;
}

/** Version 2 if it has the memory controller, else version 1. Needs root. Its name contains the id of this process. */
export function memoryCgroup(bytes: number): MemoryCgroup {
  const lines = readFileSync("/proc/self/cgroup", "utf8").split("\n");
  const v1 = lines.find((line) => /^\d+:memory:/.test(line))?.replace(/^\d+:memory:/, "");
  const v2 = lines.find((line) => line.startsWith("0::"))?.slice(3) ?? "/";
  const [top, limit] =
    v1 === undefined
      ? [join("/sys/fs/cgroup", v2), "memory.max"]
      : [join("/sys/fs/cgroup/memory", v1), "memory.limit_in_bytes"];
  const dir = join(top, `bench-${process.pid}`);
  mkdirSync(dir);
  if (!existsSync(join(dir, limit))) {
    rmdirSync(dir);
    throw new Error(`no memory controller in ${top}`);
  }
  writeFileSync(join(dir, limit), `${bytes}`);
  return {
    wrap: ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', dir],
    remove: () => rmdirSync(dir),
  };
}
