/**
 * A routine that does no input or output itself: it makes calls of its ports, and yields a result that is not there yet
 * to continue with it later. So one text serves a process with blocking calls and a process with thousands of sessions.
 */
export type Steps<Result> = Generator<Promise<unknown>, Result, unknown>;

/** A value now, or later. */
export type Maybe<T> = T | Promise<T>;

/** Makes a call of a port and returns its result. A yield passes each routine in between, so none is made in vain. */
export function* ask<T>(call: () => Maybe<T>): Steps<T> {
  const answer = call();
  return answer instanceof Promise ? ((yield answer) as T) : answer;
}

/** Runs a routine: without a promise if all its ports return their results at once. */
export function drive<Result>(steps: Steps<Result>): Maybe<Result> {
  const step = steps.next();
  return step.done ? step.value : resume(steps, step.value);
}

async function resume<Result>(steps: Steps<Result>, pending: Promise<unknown>): Promise<Result> {
  for (let next: IteratorResult<Promise<unknown>, Result> = { done: false, value: pending }; ; ) {
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
