/** Ends the session with an exit code, after a last reply if there is one. */
export class End extends Error {
  readonly code: number;
  readonly reply: string | undefined;
  constructor(code: number, reply?: string) {
    super("the session has ended");
    this.code = code;
    this.reply = reply;
  }
}
