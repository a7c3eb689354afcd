import { netstring, netstringReader } from "@qmail-mysql/wire";
import type { Answer } from "./answer.ts";

/** The questions of one connection, and their answers in the order of the questions. */
export interface Pipeline {
  /** Takes bytes from the client. */
  add(chunk: string): void;
  /**
   * The next question, with where its answer goes; undefined when none is complete, or as many as may be are
   * at work. Throws Garbage.
   */
  begin(): { readonly question: string; readonly answer: (answer: Answer) => void } | undefined;
  /** Takes answers whose turn it is, as they go over the socket: one, and others while they are short. */
  take(): string;
  /** Questions begun and not yet answered, or answered and waiting for one before them. */
  atWork(): number;
  /** Bytes of questions not begun. */
  unread(): number;
  /** Bytes of answers not taken. */
  unsent(): number;
}

const SHORT = 4096; // bytes

/** At most `most` questions, of at most `limit` bytes, are at work at the same time. */
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
