import { type Blocked, type CheckBlocklists, openBlockedSession } from "@qmail-mysql/blocklist";
import { type Answer, ask, End, type Extension, type Session, type Steps } from "@qmail-mysql/smtp";
import { byteString } from "@qmail-mysql/wire";

const OVER = 0; // exit code of rblsmtpd

/** A client on a blocklist is served as by rblsmtpd: it gets no further than the reply. */
export function blocklist(check: CheckBlocklists): Extension {
  return {
    *atStart(session): Answer {
      yield* refuseListed(session, check);
      return undefined;
    },
  };
}

/** Ends the session of a client that is on a blocklist, in place of the greeting. */
export function* refuseListed(session: Session, check: CheckBlocklists): Steps<void> {
  const { client, environment } = session;
  const asked = { ip: client.ip, rblsmtpd: environment.get("RBLSMTPD") };
  const blocked = yield* ask(() => check(asked));
  if (!blocked) return;
  session.ports.log(`blocked client=${client.ip} reply=${JSON.stringify(blocked.reply)}`);
  yield* refuse(session, blocked);
}

function* refuse(session: Session, blocked: Blocked): Steps<never> {
  const { ports } = session;
  const end = ports.now() + blocked.timeout * 1000;
  const left = () => Math.max(0, end - ports.now());
  const blockedSession = openBlockedSession(blocked);
  let { isOver } = blockedSession;
  let replies = session.output + blockedSession.greeting;
  session.output = "";
  for (;;) {
    const text = replies;
    if (text !== "" && !(yield* ask(() => ports.write(text, Math.max(left(), 1000))))) throw new End(OVER);
    if (isOver) throw new End(OVER);
    // A client that a proxy names may already have sent more.
    const { input } = session;
    session.input = input.subarray(input.length);
    const bytes = input.length > 0 ? input : yield* ask(() => ports.read(left()));
    if (bytes === "timeout" || bytes.length === 0) throw new End(OVER);
    ({ replies, isOver } = blockedSession.receive(byteString(bytes, bytes.length)));
  }
}
