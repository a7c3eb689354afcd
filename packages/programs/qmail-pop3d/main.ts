import { popTimeout } from "@qmail-mysql/control-files";
import {
  err,
  lineInput,
  type Message,
  newSession,
  ok,
  type Session,
  stuffing,
  TOO_LONG,
  TOO_LONG_REPLY,
  transact,
} from "@qmail-mysql/pop3";
import { say } from "@qmail-mysql/process";
import { Gone, leave, linger, timedRead, timedWrite } from "@qmail-mysql/socket";
import { OK, REFUSED } from "@qmail-mysql/trouble";
import { parseCommand, toText } from "@qmail-mysql/wire";
import { sha256 } from "./digest.ts";
import { cleanTmp, markOld, open, remove, scan } from "./edge/maildir.ts";

type Reply = (text: string | Uint8Array) => Promise<void>;

/** qmail-pop3d maildir: serves the mail of its user to the client on descriptors 0 and 1. qmail-pop3d(8). */
export async function main([maildir]: readonly string[]): Promise<number> {
  if (process.getuid?.() === 0) {
    say("qmail-pop3d invoked as uid 0, terminating");
    return REFUSED;
  }
  const ms = popTimeout("qmail-pop3d");
  const reply: Reply = (text) => timedWrite(1, text, ms);
  try {
    const session = begin(maildir);
    if (typeof session === "string") {
      await reply(err(session));
      await linger(0);
      return leave(OK); // the login was accepted, and qmail-popup treats any other code as a refusal
    }
    await reply(ok());
    await serve(session, reply, ms);
    return OK;
  } catch (error) {
    if (error instanceof Gone) return leave(OK);
    throw error;
  }
}

/** Begins a session; or returns the text of an error. */
function begin(maildir: string | undefined): Session | string {
  try {
    const dir = maildir === undefined ? undefined : toText(maildir);
    if (dir === undefined) return "this user has no $HOME/Maildir";
    process.chdir(dir);
  } catch {
    return "this user has no $HOME/Maildir";
  }
  const now = Math.floor(Date.now() / 1000);
  cleanTmp(now);
  try {
    return newSession(scan(now), sha256);
  } catch {
    return "unable to scan $HOME/Maildir";
  }
}

const AT_ONCE = 4096; // bytes of input; no other program reads after this one

async function serve(session: Session, reply: Reply, ms: number): Promise<void> {
  const nextLine = lineInput((buffer) => timedRead(0, buffer, ms), AT_ONCE);
  for (;;) {
    const line = await nextLine();
    if (line === undefined) return;
    if (line === TOO_LONG) {
      await reply(TOO_LONG_REPLY);
      continue;
    }
    const action = transact(parseCommand(line), session);
    if ("quit" in action) return quit(session, reply);
    if ("send" in action) await send(action.send, action.lines, reply);
    else for (const text of action.reply) await reply(text);
  }
}

async function send(message: Message, lines: number | undefined, reply: Reply): Promise<void> {
  const pieces = open(message);
  if (!pieces) return reply(err("unable to open that message"));
  await reply(ok());
  const { push, done, end } = stuffing(lines);
  try {
    for (const piece of pieces) {
      await reply(push(piece));
      if (done()) break;
    }
  } catch (error) {
    // In the middle of a message an error can only be signalled by closing the connection.
    throw error instanceof Gone ? error : new Gone("unreadable");
  }
  await reply(end());
}

/** The UPDATE state: deletes marked messages and moves the others from new/ to cur/. */
async function quit({ messages, deleted }: Session, reply: Reply): Promise<void> {
  for (const [index, message] of messages.entries()) {
    if (!deleted[index]) markOld(message);
    else if (!remove(message)) await reply(err("unable to unlink all deleted messages"));
  }
  await reply(ok());
}
