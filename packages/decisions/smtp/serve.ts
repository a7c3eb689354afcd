import type { Steps } from "@qmail-mysql/steps";
import { SOFT } from "@qmail-mysql/trouble";
import { parseCommand } from "@qmail-mysql/wire";
import { COMMANDS } from "./commands.ts";
import { End } from "./end.ts";
import { answerOf, type Command, refusalOf } from "./extension.ts";
import { UNIMPLEMENTED } from "./replies.ts";
import type { Session } from "./session.ts";
import { flush, readLine, say, sayAsIs } from "./stream.ts";

/** Serves a client up to the end of the session; returns the exit code of qmail-smtpd. */
export function* serve(session: Session): Steps<number> {
  let code = SOFT;
  try {
    sayAsIs(session, (yield* refusalOf(session, "atStart")) ?? `220 ${session.settings.greeting} ESMTP`);
    const commands = allCommands(session);
    for (;;) yield* serveCommand(session, commands);
  } catch (error) {
    if (!(error instanceof End)) throw error;
    code = error.code;
    if (error.reply !== undefined) reply(session, "", error.reply);
    yield* lastReplies(session);
    return code;
  } finally {
    for (const { atEnd } of session.extensions) atEnd?.(session, code);
  }
}

function* serveCommand(session: Session, commands: ReadonlyMap<string, Command>): Steps<void> {
  const line = yield* readLine(session);
  const { verb, arg } = parseCommand(line.text);
  const command = commands.get(verb) ?? unimplemented;
  const refusal = yield* refusalOf(session, "atCommand", verb);
  const text = refusal ?? (yield* answerOf(command(session, arg, line.isCut)));
  if (text !== undefined) reply(session, command === unimplemented ? "unknown" : verb, text);
}

/** Replies to a command, or ends the session with this reply, without a verb. */
function reply(session: Session, verb: string, text: string): void {
  say(session, text);
  for (const { atReply } of session.extensions) atReply?.(session, verb, text);
}

const unimplemented = () => UNIMPLEMENTED;

const STOCK: ReadonlyMap<string, Command> = new Map(Object.entries(COMMANDS));

function allCommands({ extensions }: Session): ReadonlyMap<string, Command> {
  const added = extensions.flatMap(({ commands = {} }) => Object.entries(commands));
  return added.length === 0 ? STOCK : new Map([...STOCK, ...added]);
}

function* lastReplies(session: Session): Steps<void> {
  try {
    yield* flush(session);
  } catch (error) {
    if (!(error instanceof End)) throw error;
  }
}
