import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

/** The file system of a directory in words: its type, and for ext4 whether it has a journal. */
export function fileSystemOf(dir: string): string {
  const path = resolve(dir);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n").map(mountOf);
  const holds = ({ point }: Mount) => point === "/" || path === point || path.startsWith(`${point}/`);
  // The last of several mounts at the same place is visible.
  const [mount] = mounts
    .filter(holds)
    .reverse()
    .sort((a, b) => b.point.length - a.point.length);
  if (!mount) throw new Error(`no file system has ${path}`);
  if (mount.type !== "ext4") return mount.type;
  const device = mount.device.replace("/dev/", "");
  return existsSync(`/proc/fs/jbd2/${device}-8`) ? "ext4" : "ext4 without a journal";
}

interface Mount {
  readonly point: string;
  readonly type: string;
  readonly device: string;
}

/** proc_pid_mountinfo(5). */
function mountOf(line: string): Mount {
  const [before = "", after = ""] = line.split(" - ");
  const [type = "", device = ""] = after.split(" ");
  return { point: before.split(" ")[4] ?? "", type, device };
}
