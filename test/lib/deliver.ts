import { execFile } from "node:child_process";
import { join } from "node:path";

/** A run of qmail-local: the contents of the home, and the operands. Strings are byte strings. */
export interface LocalCase {
  readonly name?: string;
  /** @HOME@ is replaced with the home. */
  readonly args: readonly string[];
  readonly files?: Readonly<Record<string, FileInHome>>;
  readonly homeMode?: number;
  readonly message?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What is on descriptor 0 instead of the message. */
  readonly descriptor0?: "closed" | "directory" | "write-only";
  /** The home is a file system of this size, as for mount(8). Requires root. */
  readonly disk?: string;
}

export type FileInHome =
  | { readonly text: string; readonly mode?: number }
  | { readonly link: string }
  | { readonly dir: number }
  | { readonly fifo: true };

/** The program, and the environment in addition to that of each case. */
export interface Job {
  readonly program: string;
  readonly uid: number;
  readonly env: Readonly<Record<string, string>>;
  readonly cases: readonly LocalCase[];
}

/** The results; a field is missing if there is none. */
export interface Delivered {
  readonly code: number;
  readonly out?: string;
  readonly err?: string;
  /** Mode and text of new files in the home; a name in new/ or tmp/ is *. */
  readonly files?: Readonly<Record<string, string>>;
  /** The input of $QMAILQUEUE. */
  readonly message?: string;
  readonly envelope?: string;
}

export const MAILDIR = {
  "Maildir/tmp": { dir: 0o700 },
  "Maildir/new": { dir: 0o700 },
  "Maildir/cur": { dir: 0o700 },
} as const satisfies Record<string, FileInHome>;

/** Runs every case in a separate home, two at a time; returns the results in the same order. */
export function deliver(job: Job): Promise<Delivered[]> {
  return new Promise((resolve, reject) => {
    const script = join(import.meta.dirname, "deliver.py");
    const child = execFile("python3", [script], { maxBuffer: 1 << 28 }, (error, stdout, stderr) =>
      error ? reject(new Error(stderr)) : resolve(JSON.parse(stdout)),
    );
    child.stdin?.end(JSON.stringify(job));
  });
}
