/** A delivery that failed: 111 defers the mail, 100 bounces it. The message is for the sender. */
export class Failure extends Error {
  readonly code: 100 | 111;
  constructor(code: 100 | 111, message: string) {
    super(message);
    this.code = code;
  }
}

/** A failure that defers the mail. */
export function temporary(message: string): Failure {
  return new Failure(111, message);
}
