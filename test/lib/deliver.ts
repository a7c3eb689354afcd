import { execFile } from "node:child_process";
import { join } from "node:path";

/** One run of qmail-local: what is in the home, what it is called with. Strings are byte strings. */
export interface LocalCase {
  readonly name?: string;
  /** @HOME@ stands for the home. */
  readonly args: readonly string[];
  readonly files?: Readonly<Record<string, FileInHome>>;
  readonly homeMode?: number;
  readonly message?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What descriptor 0 is in place of the message. */
  readonly descriptor0?: "closed" | "directory" | "write-only";
  /** The home is a file system of that size, as mount(8) takes it. Root only. */
  readonly disk?: string;
}

export type FileInHome =
  | { readonly text: string; readonly mode?: number }
  | { readonly link: string }
  | { readonly dir: number }
  | { readonly fifo: true };

/** What is to run, and in which environment besides each case's own. */
export interface Job {
  readonly program: string;
  readonly uid: number;
  readonly env: Readonly<Record<string, string>>;
  readonly cases: readonly LocalCase[];
}

/** What it did; nothing where it did nothing. */
export interface Delivered {
  readonly code: number;
  readonly out?: string;
  readonly err?: string;
  /** Mode and text of what is new in the home; a name in new/ or tmp/ is *. */
  readonly files?: Readonly<Record<string, string>>;
  /** What $QMAILQUEUE was given. */
  readonly message?: string;
  readonly envelope?: string;
}

export const MAILDIR = {
  "Maildir/tmp": { dir: 0o700 },
  "Maildir/new": { dir: 0o700 },
  "Maildir/cur": { dir: 0o700 },
} as const satisfies Record<string, FileInHome>;

/** Runs every case in a home of its own, two at a time; answers in their order. */
export function deliver(job: Job): Promise<Delivered[]> {
  return new Promise((resolve, reject) => {
    const script = join(import.meta.dirname, "deliver.py");
    const child = execFile("python3", [script], { maxBuffer: 1 << 28 }, (error, stdout, stderr) =>
      error ? reject(new Error(stderr)) : resolve(JSON.parse(stdout)),
    );
    child.stdin?.end(JSON.stringify(job));
  });
}
