import { ask, type Steps } from "@qmail-mysql/steps";
import { byteString } from "@qmail-mysql/wire";
import { End } from "./end.ts";
import { TIMEOUT } from "./replies.ts";
import type { Session } from "./session.ts";

const LF = 0x0a;

/** Bytes of a command line that are kept. qmail has no limit; an address has at most 899 bytes. */
export const MAX_LINE = 65536;

const GONE = 1; // exit code of stock qmail-smtpd after any session without QUIT

/** Adds a reply to what is sent before the next read. */
export function say(session: Session, reply: string): void {
  sayAsIs(session, session.render(reply));
}

/** Adds a reply that has no status code in any case. */
export function sayAsIs(session: Session, reply: string): void {
  session.output += `${reply}\r\n`;
}

/** Sends the replies. Ends the session if the client does not take them. */
export function* flush(session: Session): Steps<void> {
  const { output, ports, settings } = session;
  if (output === "") return;
  session.output = "";
  if (!(yield* ask(() => ports.write(output, settings.timeout)))) throw new End(GONE);
}

/** Takes what was received, after waiting for it if necessary. Ends the session at the end of input. */
export function* receive(session: Session): Steps<Uint8Array> {
  const { ports, settings } = session;
  if (session.input.length === 0) {
    yield* flush(session);
    const bytes = yield* ask(() => ports.read(settings.timeout));
    if (bytes === "timeout") throw new End(GONE, TIMEOUT);
    if (bytes.length === 0) throw new End(GONE);
    session.input = bytes;
  }
  const bytes = session.input;
  session.input = bytes.subarray(bytes.length);
  return bytes;
}

/** A command line without its LF. */
export interface Line {
  readonly text: string;
  /** It was longer than is kept. */
  readonly isCut: boolean;
}

/** The next line, up to LF. */
export function* readLine(session: Session): Steps<Line> {
  let text = "";
  let isCut = false;
  for (;;) {
    const bytes = yield* receive(session);
    const end = bytes.indexOf(LF);
    const length = end < 0 ? bytes.length : end;
    const keep = Math.min(length, MAX_LINE - text.length);
    if (keep < length) isCut = true;
    text += byteString(bytes, keep);
    if (end < 0) continue;
    session.input = bytes.subarray(end + 1);
    return { text, isCut };
  }
}
