import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const MEGABYTES = 128;
const ATTEMPTS = 200; // of 20 ms: to unmount, while processes that were killed still end

/** A file system on a disk that loses writes that were not flushed. */
export interface LossyDisk {
  readonly dir: string;
  /** Cuts the power: all access to the disk fails from now on. */
  cut(): void;
  /** Restores the power, when no process uses the disk any more, and mounts it: the journal is replayed. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** An ext4 with a journal on lossy-disk.c, through a loop device, which passes flushes on. Needs root. */
export async function startLossyDisk(seed: number): Promise<LossyDisk> {
  const top = mkdtempSync(join(tmpdir(), "lossy-"));
  const [program, disk, dir] = [join(top, "lossy-disk"), join(top, "disk"), join(top, "mnt")];
  execFileSync("gcc", ["-O2", "-o", program, join(import.meta.dirname, "lossy-disk.c")]);
  execFileSync("chmod", ["755", top]);
  mkdirSync(dir);
  writeFileSync(disk, "");
  const child = spawn(program, [disk, `${MEGABYTES}`, `${seed}`], { stdio: ["ignore", "pipe", "inherit"] });
  await ready(child);
  execFileSync("/usr/sbin/mkfs.ext4", ["-q", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", disk]);
  const mount = () => execFileSync("mount", ["-o", "loop", disk, dir]);
  mount();
  return {
    dir,
    cut: () => void child.kill("SIGUSR1"),
    async restart() {
      await unmount(dir);
      child.kill("SIGUSR2");
      mount();
    },
    async stop() {
      await unmount(dir);
      await unmount(disk);
      child.kill("SIGKILL");
      rmSync(top, { recursive: true });
    },
  };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`lossy-disk ended with ${code}`)));
  });
}

async function unmount(dir: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return void execFileSync("umount", [dir], { stdio: "pipe" });
    } catch (error) {
      if (tries > ATTEMPTS) throw error;
      await sleep(20);
    }
  }
}
