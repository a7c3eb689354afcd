import { netstring, netstringReader } from "@qmail-mysql/wire";
import type { Answer } from "./answer.ts";

/** The questions of a connection, and their answers in the order of the questions. */
export interface Pipeline {
  /** Adds bytes received from the client. */
  add(chunk: string): void;
  /**
   * Returns the next question, with the function to call with its answer; undefined if no question is complete, or the
   * maximum is in progress. Throws Garbage.
   */
  begin(): { readonly question: string; readonly answer: (answer: Answer) => void } | undefined;
  /** Removes and returns the next answers to send, as netstrings: at least one if ready, more while they are short. */
  take(): string;
  /** Number of questions begun whose answers have not been taken. */
  atWork(): number;
  /** Bytes received that belong to questions not begun. */
  unread(): number;
  /** Bytes of answers not yet taken. */
  unsent(): number;
}

const SHORT = 4096; // bytes

/** A pipeline for questions of at most `limit` bytes, of which at most `most` are in progress. */
export function openPipeline(limit: number, most: number): Pipeline {
  const reader = netstringReader(limit);
  const slots: { answer: Answer | undefined }[] = [];
  let unsent = 0;
  return {
    add: reader.add,
    begin() {
      if (slots.length >= most) return undefined;
      const question = reader.next();
      if (question === undefined) return undefined;
      const slot: { answer: Answer | undefined } = { answer: undefined };
      slots.push(slot);
      return {
        question,
        answer(answer) {
          slot.answer = answer;
          unsent += answer.length;
        },
      };
    },
    take() {
      let out = "";
      for (let first = slots[0]; first?.answer !== undefined && out.length < SHORT; first = slots[0]) {
        out += netstring(first.answer);
        unsent -= first.answer.length;
        slots.shift();
      }
      return out;
    },
    atWork: () => slots.length,
    unread: reader.held,
    unsent: () => unsent,
  };
}
