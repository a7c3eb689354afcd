import { readSync } from "node:fs";
import { verify } from "@qmail-mysql/password";
import { writeAll } from "@qmail-mysql/process";
import { systemCrypt } from "@qmail-mysql/system";
import { OK } from "@qmail-mysql/trouble";
import { netstring, netstringReader, nulFields } from "@qmail-mysql/wire";

/** Maximum bytes of a job: password, stored password, its type, challenge. */
export const JOB_LIMIT = 65_536;

/**
 * `qmail-sqld hash`: a process that computes password hashes one after another, so that the event loop of qmail-sqld
 * does not wait for them. Reads jobs from descriptor 0, writes verdicts to descriptor 1: Y, N, or T and the reason.
 */
export async function hasher(): Promise<number> {
  const reader = netstringReader(JOB_LIMIT);
  const chunk = Buffer.alloc(JOB_LIMIT);
  for (;;) {
    const n = readSync(0, chunk);
    if (n === 0) return OK;
    for (const job of reader.push(chunk.toString("latin1", 0, n))) {
      const [typed = "", stored = "", type = "", challenge = ""] = nulFields(job) ?? [];
      writeAll(1, netstring(await verdict(typed, stored, type, challenge)));
    }
  }
}

async function verdict(typed: string, stored: string, type: string, challenge: string): Promise<string> {
  try {
    return (await verify(typed, stored, type, challenge, systemCrypt)) ? "Y" : "N";
  } catch (error) {
    return `T${error instanceof Error ? error.message : String(error)}`;
  }
}
