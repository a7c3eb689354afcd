import { readFileSync } from "node:fs";

/** Bytes of memory available to this process and all others together: of the machine, or less in a control group. */
export function memoryLimit(root = ""): number {
  const [, kilobytes] = /^MemTotal: +(\d+) kB$/m.exec(read(`${root}/proc/meminfo`)) ?? [];
  const limits = [Number(kilobytes ?? 0) * 1024, ...groups(root).map(limitIn)];
  return Math.min(...limits.filter((limit) => limit > 0));
}

/** The directories of this process's control group and its parents, of versions 1 and 2: cgroups(7). */
function groups(root: string): string[] {
  const directories: string[] = [];
  for (const line of read(`${root}/proc/self/cgroup`).split("\n")) {
    const [, controllers, path = ""] = line.split(":");
    const isMemory = controllers?.split(",").includes("memory");
    if (controllers !== "" && !isMemory) continue;
    const at = `${root}/sys/fs/cgroup${isMemory ? "/memory" : ""}`;
    for (let inner = path.replace(/\/$/, ""); inner !== ""; inner = inner.slice(0, inner.lastIndexOf("/"))) {
      directories.push(at + inner);
    }
    directories.push(at); // inside a container this is its own group
  }
  return directories;
}

function limitIn(directory: string): number {
  const text = read(`${directory}/memory.max`) || read(`${directory}/memory.limit_in_bytes`);
  return /^\d+$/.test(text.trim()) ? Number(text) : 0;
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
