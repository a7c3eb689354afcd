/** A delivery that is not made: 111 tries again later, 100 gives the mail back. The message is what its sender reads. */
export class Failure extends Error {
  readonly code: 100 | 111;
  constructor(code: 100 | 111, message: string) {
    super(message);
    this.code = code;
  }
}

/** Not now: tried again later. */
export function temporary(message: string): Failure {
  return new Failure(111, message);
}
