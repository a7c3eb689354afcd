/**
 * A routine that does no input or output itself: it makes calls of its ports, and yields a result that is not there yet
 * to continue with it later. So one text serves a process with blocking calls and a process with thousands of sessions.
 * It yields undefined to let other routines continue.
 */
export type Steps<Result> = Generator<Promise<unknown> | typeof WAIT | undefined, Result, unknown>;

/** What a port returns in place of a promise, to be called again when the routine continues. */
export const WAIT: unique symbol = Symbol("wait");

/** What a port returns: a value, now or later, or that it is to be called again. */
export type Maybe<T> = T | Promise<T> | typeof WAIT;

/** Makes a call of a port and returns its result. A yield passes each routine in between, so none is made in vain. */
export function* ask<T>(call: () => Maybe<T>): Steps<T> {
  for (;;) {
    const answer = call();
    if (answer instanceof Promise) return (yield answer) as T;
    if (answer !== WAIT) return answer as T;
    yield WAIT;
  }
}

/** Runs a routine: without a promise if all its ports return their results at once. They do not return WAIT. */
export function drive<Result>(steps: Steps<Result>): Result | Promise<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (step.value !== undefined) return resume(steps, step.value);
  }
}

async function resume<Result>(steps: Steps<Result>, pending: unknown): Promise<Result> {
  for (let next: IteratorResult<unknown, Result> = { done: false, value: pending }; ; ) {
    if (next.done) return next.value;
    let answer: unknown;
    try {
      answer = await next.value;
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    next = steps.next(answer);
  }
}
