import { QUESTION_LIMIT } from "@qmail-mysql/sqld-client";
import { Garbage, netstring } from "@qmail-mysql/wire";
import { type Answer, InvalidQuestion, type Peer, trouble } from "../answer.ts";
import { openPipeline } from "../pipeline.ts";
import type { Stream, StreamEvents } from "./stream.ts";

/** Answers a question; throws InvalidQuestion if it violates the protocol. */
export type Answers = (payload: string, peer: Peer) => Answer | Promise<Answer>;

/** Callbacks of a connection. */
export interface Events {
  /** It has questions in progress. */
  busy(): void;
  /** It has no more questions in progress. */
  idle(): void;
  /** The bytes of its questions and answers in memory have changed to `bytes`. */
  holds(bytes: number): void;
  /** It violated the protocol. */
  garbage(): void;
  closed(): void;
}

// Questions in progress per client, so that a busy client delays only itself: qmail-sqld-protocol(7).
const IN_FLIGHT = 4;
const PER_TURN = 4; // questions begun before the event loop serves other connections
const LAST_ANSWER = 1000; // milliseconds to read the answer to a question that violates the protocol

/** The connection of one client. Its questions are handled concurrently and answered in order. */
export class Connection {
  readonly #stream: Stream;
  readonly #answers: Answers;
  readonly #peer: Peer;
  readonly #events: Events;
  readonly #pipeline = openPipeline(QUESTION_LIMIT, IN_FLIGHT);
  /** When an incomplete question began, or an answer was not accepted by the socket; 0 if neither. */
  #since = 0;
  #held = 0;
  #isBusy = false;
  #isScheduled = false;
  #isPaused = false;
  #isEnding = false;
  #isOver = false;

  constructor(open: (events: StreamEvents) => Stream, peer: Peer, answers: Answers, events: Events) {
    this.#peer = peer;
    this.#answers = answers;
    this.#events = events;
    this.#stream = open({
      data: (bytes) => {
        this.#pipeline.add(bytes);
        if (!this.#isScheduled) this.#work();
      },
      drain: () => {
        this.#since = 0;
        this.#send();
        this.#work();
      },
      close: () => {
        this.#isOver = true;
        events.closed();
      },
    });
  }

  close(): void {
    this.#isOver = true;
    this.#stream.destroy();
  }

  /** Closes as soon as no question is in progress. */
  end(): void {
    this.#isEnding = true;
    if (!this.#isBusy) this.#stream.end();
  }

  /** Has the client left a question incomplete, or an answer unread, since before `time`? */
  isSlow(time: number): boolean {
    return this.#since > 0 && this.#since < time;
  }

  /** Begins at most PER_TURN questions; others are begun after those of the other connections. */
  #work(): void {
    if (this.#isOver || this.#isStuck()) return;
    let begun = 0;
    let isMore = true;
    try {
      while (isMore && begun < PER_TURN) {
        isMore = this.#begin();
        if (isMore) begun++;
      }
    } catch (error) {
      this.#refuse(error);
      return;
    }
    const isIncomplete = !isMore && this.#pipeline.atWork() < IN_FLIGHT;
    this.#send();
    if (isIncomplete && !this.#isStuck()) this.#wait(begun > 0);
    else this.#goOn();
  }

  /** Begins the next question. Returns false if none is complete, or the maximum is in progress. */
  #begin(): boolean {
    const next = this.#pipeline.begin();
    if (!next) return false;
    const answer = this.#answers(next.question, this.#peer);
    if (typeof answer === "string") next.answer(answer);
    else {
      answer.then(
        (late) => {
          next.answer(late);
          this.#send();
          this.#goOn();
        },
        (error) => this.#refuse(error),
      );
    }
    return true;
  }

  /** Has the client failed to read its answers, so that the socket buffer is full? */
  #isStuck(): boolean {
    return this.#stream.unsent() > 0;
  }

  #send(): void {
    while (!this.#isOver && !this.#isStuck()) {
      const out = this.#pipeline.take();
      if (out === "") return;
      this.#stream.write(out);
      if (this.#isStuck()) this.#since = performance.now();
    }
  }

  /** Waits for the rest of a question, or for another one. */
  #wait(hasBegun: boolean): void {
    if (this.#isOver) return;
    if (this.#pipeline.unread() === 0) this.#since = 0;
    else if (hasBegun || this.#since === 0) this.#since = performance.now();
    if (this.#isPaused) this.#stream.resume();
    this.#isPaused = false;
    this.#note(this.#pipeline.atWork() > 0);
  }

  /**
   * Goes on with the questions already read: soon, or after the client has read answers, or some are ready. Until all
   * are begun nothing more is read.
   */
  #goOn(): void {
    if (this.#isOver) return;
    const { atWork, unread } = this.#pipeline;
    const mayBegin = !this.#isStuck() && atWork() < IN_FLIGHT;
    if (mayBegin && !this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(() => {
        this.#isScheduled = false;
        this.#work();
      });
    }
    if (!this.#isPaused && unread() > 0) {
      this.#stream.pause(); // further input stays in the socket buffer
      this.#isPaused = true;
    }
    this.#note(atWork() > 0 || mayBegin);
  }

  #note(isBusy: boolean): void {
    const held = this.#pipeline.unread() + this.#pipeline.unsent() + this.#stream.unsent();
    if (held !== this.#held) this.#events.holds(held);
    this.#held = held;
    if (this.#isOver) return;
    if (!isBusy) this.#events.idle();
    else if (!this.#isBusy) this.#events.busy();
    this.#isBusy = isBusy;
    if (this.#isEnding && !isBusy) this.#stream.end();
  }

  #refuse(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.garbage();
    if (error instanceof Garbage) {
      this.close();
      return;
    }
    const why = error instanceof InvalidQuestion ? error.message : "unable to answer";
    this.#stream.write(netstring(trouble(why)));
    this.#stream.end();
    this.#events.idle();
    setTimeout(() => this.#stream.destroy(), LAST_ANSWER).unref();
  }
}
