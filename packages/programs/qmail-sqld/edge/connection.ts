import { QUESTION_LIMIT } from "@qmail-mysql/sqld-client";
import { Garbage, netstring } from "@qmail-mysql/wire";
import { type Answer, Misasked, type Peer, trouble } from "../answer.ts";
import { openPipeline } from "../pipeline.ts";
import type { Stream, StreamEvents } from "./stream.ts";

/** Answers a question; throws Misasked when it is none of the protocol's. */
export type Answers = (payload: string, peer: Peer) => Answer | Promise<Answer>;

/** What the server is told of a connection. */
export interface Events {
  /** It has questions at work. */
  busy(): void;
  /** It has none any more. */
  idle(): void;
  /** So many bytes of its questions and answers are in memory now. */
  holds(bytes: number): void;
  /** It sent what is no question. */
  garbage(): void;
  closed(): void;
}

// Questions in flight per client, so a busy one queues behind itself: qmail-sqld-protocol(7).
const IN_FLIGHT = 4;
const PER_TURN = 4; // questions begun before the other connections have their turn
const LAST_ANSWER = 1000; // milliseconds to take the answer to what was no question

/** One client: its questions are read, begun, and answered in their order. */
export class Connection {
  readonly #stream: Stream;
  readonly #answers: Answers;
  readonly #peer: Peer;
  readonly #events: Events;
  readonly #pipeline = openPipeline(QUESTION_LIMIT, IN_FLIGHT);
  /** Since when a question is incomplete, or an answer is not taken. 0: neither. */
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

  /** Closes as soon as no question is at work. */
  end(): void {
    this.#isEnding = true;
    if (!this.#isBusy) this.#stream.end();
  }

  /** Has the client left something unfinished since before `time`? */
  isSlow(time: number): boolean {
    return this.#since > 0 && this.#since < time;
  }

  /** Begins some questions; the others have their turn after those of the other connections. */
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
      this.#misasked(error);
      return;
    }
    const isIncomplete = !isMore && this.#pipeline.atWork() < IN_FLIGHT;
    this.#send();
    if (isIncomplete && !this.#isStuck()) this.#wait(begun > 0);
    else this.#goOn();
  }

  /** Begins the next question, if there is one that may begin. */
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
        (error) => this.#misasked(error),
      );
    }
    return true;
  }

  /** Does the client not take its answers? */
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

  /** For the rest of a question, or another one. */
  #wait(hasBegun: boolean): void {
    if (this.#isOver) return;
    if (this.#pipeline.unread() === 0) this.#since = 0;
    else if (hasBegun || this.#since === 0) this.#since = performance.now();
    if (this.#isPaused) this.#stream.resume();
    this.#isPaused = false;
    this.#note(this.#pipeline.atWork() > 0);
  }

  /** With the questions that are here: soon, or when the client has taken answers, or some are found. */
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
    if (!mayBegin && !this.#isPaused && unread() > 0) {
      this.#stream.pause(); // more waits in the socket, not here
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

  #misasked(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.garbage();
    if (error instanceof Garbage) {
      this.close();
      return;
    }
    const why = error instanceof Misasked ? error.message : "unable to answer";
    this.#stream.write(netstring(trouble(why)));
    this.#stream.end();
    this.#events.idle();
    setTimeout(() => this.#stream.destroy(), LAST_ANSWER).unref();
  }
}
