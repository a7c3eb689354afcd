import { parseCommand } from "@qmail-mysql/wire";
import { COMMANDS } from "./commands.ts";
import { End } from "./end.ts";
import { type Command, refusalOf } from "./extension.ts";
import { UNIMPLEMENTED } from "./replies.ts";
import type { Session } from "./session.ts";
import type { Steps } from "./steps.ts";
import { flush, readLine, say } from "./stream.ts";

/** Serves a client up to the end of the session; returns the exit code of qmail-smtpd. */
export function* serve(session: Session): Steps<number> {
  try {
    say(session, (yield* refusalOf(session, "atStart")) ?? `220 ${session.settings.greeting} ESMTP`);
    const commands = allCommands(session);
    for (;;) {
      const { text, isCut } = yield* readLine(session);
      const { verb, arg } = parseCommand(text);
      const answer = commands.get(verb)?.(session, arg, isCut) ?? UNIMPLEMENTED;
      const reply = typeof answer === "string" ? answer : yield* answer;
      if (reply !== undefined) say(session, reply);
    }
  } catch (error) {
    if (!(error instanceof End)) throw error;
    if (error.reply !== undefined) say(session, error.reply);
    yield* lastReplies(session);
    return error.code;
  }
}

function allCommands({ extensions }: Session): ReadonlyMap<string, Command> {
  const added = extensions.flatMap(({ commands = {} }) => Object.entries(commands));
  return new Map([...Object.entries(COMMANDS), ...added]);
}

function* lastReplies(session: Session): Steps<void> {
  try {
    yield* flush(session);
  } catch (error) {
    if (!(error instanceof End)) throw error;
  }
}
