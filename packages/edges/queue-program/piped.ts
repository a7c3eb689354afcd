import { awaitChild, type Native, readWithin } from "@qmail-mysql/native";
import { byteString, toBuffer } from "@qmail-mysql/wire";
import { startQueue } from "./start.ts";

export const CUSTOM_LIMIT = 255; // bytes; qmail-queue(8)
const LIMIT = 86_400_000 + 60_000; // milliseconds; qmail-queue itself exits after a day
export const NOT_RUN = 120; // exit code of a child of qmail.c that cannot run the program

/** How qmail-queue ended; the code is undefined if it was killed by a signal. */
export interface PipedEnd {
  readonly pid: number;
  readonly code: number | undefined;
  readonly custom: string;
  /** It has read the message and the envelope. */
  readonly isComplete: boolean;
}

/** A running qmail-queue, with blocking calls. */
export interface PipedQueue {
  /** False if it has stopped reading. */
  put(bytes: Uint8Array): boolean;
  close(envelope: string): PipedEnd;
  abandon(): void;
}

/** Starts `program`: startQueue. Undefined if there is no pipe or process for it. */
export function pipedQueue(c: Native, program: string, env: readonly string[]): PipedQueue | undefined {
  const started = startQueue(c, program, env);
  if (!started) return undefined;
  const { pid, text, addresses, custom, close } = started;
  let isComplete = true;
  const put = (fd: number, bytes: Uint8Array): boolean => {
    isComplete &&= pid !== undefined && writeTo(c, fd, bytes);
    return isComplete;
  };
  return {
    put: (bytes) => put(text, bytes),
    close(envelope) {
      close(text);
      if (envelope !== "") put(addresses, toBuffer(envelope));
      close(addresses);
      if (pid === undefined) {
        close(custom);
        return { pid: 0, code: NOT_RUN, custom: "", isComplete };
      }
      const customText = readCustom(c, custom);
      close(custom);
      return { pid, code: awaitChild(c, pid), custom: customText, isComplete };
    },
    abandon: () => close(text, addresses, custom),
  };
}

/** False if nobody reads any more. */
function writeTo(c: Native, fd: number, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) {
    const n = c.raw("write", fd, bytes.subarray(at), bytes.length - at);
    if (n >= 0) at += n;
    else if (c.failureCode() !== "EINTR") return false;
  }
  return true;
}

/** What it writes to descriptor 6, up to the end. */
function readCustom(c: Native, fd: number): string {
  let text = "";
  try {
    while (text.length < CUSTOM_LIMIT) {
      const piece = new Uint8Array(CUSTOM_LIMIT - text.length);
      const n = readWithin(c, fd, piece, LIMIT);
      if (n === 0) break;
      text += byteString(piece, n);
    }
  } catch {
    // a program that keeps it open for more than a day
  }
  return text;
}
