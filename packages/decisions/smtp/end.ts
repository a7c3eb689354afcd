/** Ends the session with an exit code, after a last reply if there is one. Not an Error: each session is ended by one. */
export class End {
  readonly code: number;
  readonly reply: string | undefined;
  constructor(code: number, reply?: string) {
    this.code = code;
    this.reply = reply;
  }
}
