import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Tests of other uids need root: they are skipped aloud without it. */
export const isRoot = process.getuid?.() === 0;

/** A throw-away qmail home, and homes for its users. */
export interface World {
  readonly home: string;
  /** Adds to control/. */
  control(file: string, text: string): string;
  /** Makes a user's home with a Maildir, owned by uid:gid; answers its path. */
  user(name: string, uid: number, gid?: number): string;
  /** The environment that makes the programs use it. */
  readonly env: Readonly<Record<string, string>>;
  remove(): void;
}

/** A Maildir of uid:gid. */
export function makeMaildir(dir: string, uid: number, gid: number): void {
  for (const sub of ["tmp", "new", "cur"]) mkdirSync(join(dir, sub), { recursive: true });
  for (const sub of ["", "tmp", "new", "cur"]) own(join(dir, sub), uid, gid);
}

function own(dir: string, uid: number, gid: number): void {
  chmodSync(dir, 0o700);
  if (isRoot) chownSync(dir, uid, gid);
}

export function makeWorld(): World {
  const top = mkdtempSync(join(tmpdir(), "qmail-mysql-"));
  chmodSync(top, 0o755);
  const home = join(top, "qmail");
  for (const dir of ["control", "users", "alias", "bin"]) mkdirSync(join(home, dir), { recursive: true });
  return {
    home,
    env: { QMAIL_HOME: home },
    control(file, text) {
      const path = join(home, "control", file);
      writeFileSync(path, text, "latin1");
      chmodSync(path, 0o644);
      return path;
    },
    user(name, uid, gid = uid) {
      const dir = join(top, "home", name);
      makeMaildir(join(dir, "Maildir"), uid, gid);
      own(dir, uid, gid);
      return dir;
    },
    remove: () => rmSync(top, { recursive: true, force: true }),
  };
}
