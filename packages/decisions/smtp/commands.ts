import { lower } from "@qmail-mysql/wire";
import { data } from "./data.ts";
import { End } from "./end.ts";
import { type Answer, type Command, refusalOf } from "./extension.ts";
import { mail } from "./mail.ts";
import { rcpt } from "./rcpt.ts";
import { FLUSHED, HELP, OK, VRFY } from "./replies.ts";
import type { Session } from "./session.ts";
import { sayAsIs } from "./stream.ts";

const always = (reply: string) => () => reply;

/** Begins anew with the name that the client gives itself. */
function* greetedBy(session: Session, name: string, reply: string): Answer {
  const refusal = yield* refusalOf(session, "atHelo", name);
  if (refusal !== undefined) return refusal;
  session.transaction = undefined;
  session.helo = lower(name) === lower(session.client.host) ? undefined : name;
  sayAsIs(session, reply);
  return undefined;
}

function* helo(session: Session, name: string): Answer {
  return yield* greetedBy(session, name, `250 ${session.settings.greeting}`);
}

function* ehlo(session: Session, name: string): Answer {
  const keywords = session.extensions.flatMap((extension) => extension.keywords?.(session) ?? []);
  const lines = [session.settings.greeting, "PIPELINING", ...keywords, "8BITMIME"];
  const reply = lines.map((line, i) => `250${i < lines.length - 1 ? "-" : " "}${line}`).join("\r\n");
  return yield* greetedBy(session, name, reply);
}

function rset(session: Session): string {
  session.transaction = undefined;
  return FLUSHED;
}

function quit({ settings }: Session): never {
  throw new End(0, `221 ${settings.greeting}`);
}

/** The commands of qmail-smtpd, by verb. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  helo,
  ehlo,
  mail,
  rcpt,
  data,
  rset,
  quit,
  noop: always(OK),
  help: always(HELP),
  vrfy: always(VRFY),
};
