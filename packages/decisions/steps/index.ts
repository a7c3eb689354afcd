/**
 * A routine that does no input or output itself: it yields a call of one of its ports and continues with what that call
 * returned. So one text serves a process with blocking calls and a process with thousands of sessions.
 */
export type Steps<Result> = Generator<() => unknown, Result, unknown>;

/** A value now, or later. */
export type Maybe<T> = T | Promise<T>;

/** Makes a call of a port and returns its result. */
export function* ask<T>(call: () => Maybe<T>): Steps<T> {
  return (yield call) as T;
}

/** Runs a routine: without a promise if all its ports return their results at once. */
export function drive<Result>(steps: Steps<Result>): Maybe<Result> {
  for (let step = steps.next(); ; ) {
    if (step.done) return step.value;
    const answer = call(steps, step.value);
    if (answer instanceof Promise) return resume(steps, answer);
    step = answer;
  }
}

type Step<Result> = IteratorResult<() => unknown, Result>;

function call<Result>(steps: Steps<Result>, port: () => unknown): Step<Result> | Promise<unknown> {
  let answer: unknown;
  try {
    answer = port();
  } catch (error) {
    return steps.throw(error);
  }
  return answer instanceof Promise ? answer : steps.next(answer);
}

async function resume<Result>(steps: Steps<Result>, pending: Promise<unknown>): Promise<Result> {
  for (let next: Step<Result> | Promise<unknown> = pending; ; ) {
    if (next instanceof Promise) {
      try {
        next = steps.next(await next);
      } catch (error) {
        next = steps.throw(error);
      }
    } else if (next.done) return next.value;
    else next = call(steps, next.value);
  }
}
