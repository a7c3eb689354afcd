import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileSystemOf } from "./file-system.ts";

/** A directory and its file system. */
export interface Place {
  readonly dir: string;
  readonly fileSystem: string;
  remove(): void;
}

const JOURNALED = "ext4 on a loop device";
const SIZE = "2G";

/** The file system of the scratch files, and an ext4 with a journal in an image file on it. Needs root. */
export function places(): Place[] {
  const dir = mkdtempSync(join(tmpdir(), "bench-"));
  const [image, mounted] = [join(dir, "image"), join(dir, "ext4")];
  chmodSync(dir, 0o755);
  mkdirSync(mounted);
  execFileSync("truncate", ["-s", SIZE, image]);
  // The kernel would otherwise initialize the rest during a measurement.
  execFileSync("/usr/sbin/mkfs.ext4", ["-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", image]);
  execFileSync("mount", ["-o", "loop", image, mounted]);
  const under = mkdtempSync(join(tmpdir(), "bench-"));
  chmodSync(under, 0o755);
  return [
    {
      dir: under,
      fileSystem: fileSystemOf(under),
      remove: () => rmSync(under, { recursive: true }),
    },
    {
      dir: mounted,
      fileSystem: JOURNALED,
      remove() {
        execFileSync("umount", [mounted]);
        rmSync(dir, { recursive: true });
      },
    },
  ];
}
