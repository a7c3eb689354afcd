import { offersApop, popTimeout } from "@qmail-mysql/control-files";
import {
  type Attempt,
  authorize,
  credentials,
  err,
  lineInput,
  replyAfter,
  TOO_LONG,
  TOO_LONG_REPLY,
} from "@qmail-mysql/pop3";
import { say, spawnWithFd3 } from "@qmail-mysql/process";
import { Gone, leave, linger, timedRead, timedWrite } from "@qmail-mysql/socket";
import { SOFT } from "@qmail-mysql/trouble";
import { parseCommand } from "@qmail-mysql/wire";

const ALWAYS = 1; // exit code of stock qmail-popup after any session

/** qmail-popup hostname subprogram: gets a POP3 login and passes it to the subprogram. qmail-popup(8). */
export async function main([hostname, ...subprogram]: readonly string[]): Promise<number> {
  const ms = popTimeout("qmail-popup");
  const reply = (text: string) => timedWrite(1, text, ms);
  const nextLine = lineInput((buffer) => timedRead(0, buffer, ms), 1);
  try {
    if (hostname === undefined || subprogram.length === 0) {
      await reply(err("usage: popup hostname subprogram"));
      return ALWAYS;
    }
    const offered = offersApop("qmail-popup");
    const timestamp = `<${process.pid}.${Math.floor(Date.now() / 1000)}@${hostname}>`;
    await reply(offered ? `+OK ${timestamp}\r\n` : "+OK \r\n");
    for (let user: string | undefined; ; ) {
      const line = await nextLine();
      if (line === undefined) return ALWAYS;
      if (line === TOO_LONG) return await refuse(TOO_LONG_REPLY, reply);
      const step = authorize(parseCommand(line), user);
      if (step.reply !== undefined) await reply(step.reply);
      if (step.end) return ALWAYS;
      user = step.user ?? user;
      if (!step.attempt) continue;
      const last = await runSubprogram(subprogram, step.attempt, timestamp);
      return last === undefined ? ALWAYS : await refuse(last, reply);
    }
  } catch (error) {
    if (error instanceof Gone) return leave(ALWAYS);
    throw error;
  }
}

/** The reply to send after the subprogram has ended; undefined if none. */
async function runSubprogram(
  subprogram: readonly string[],
  attempt: Attempt,
  timestamp: string,
): Promise<string | undefined> {
  try {
    const input = credentials(attempt, timestamp);
    return replyAfter(await spawnWithFd3({ argv: subprogram, input, stdio: [0, 1, 2] }));
  } catch (error) {
    say(`qmail-popup: warning: ${(error as Error).message}`);
    return replyAfter({ code: SOFT, signal: null });
  }
}

async function refuse(text: string, reply: (text: string) => Promise<void>): Promise<number> {
  await reply(text);
  await linger(0);
  return leave(ALWAYS);
}
