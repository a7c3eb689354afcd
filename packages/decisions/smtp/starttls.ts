import { End } from "./end.ts";
import type { Answer, Extension } from "./extension.ts";
import { NO_PARAMETERS, NO_TLS, READY_FOR_TLS, UNIMPLEMENTED } from "./replies.ts";
import type { Session } from "./session.ts";
import { ask, type Steps } from "./steps.ts";
import { flush } from "./stream.ts";

const FAILED = 1; // exit code, as after any session without QUIT

/** STARTTLS, RFC 3207, and TLS from the first byte if SMTPS is set in the environment of the session. */
export const starttls: Extension = {
  keywords: (session) => (isOffered(session) ? ["STARTTLS"] : []),
  commands: { starttls: command },
  *atStart(session) {
    if (session.environment.get("SMTPS") === undefined) return undefined;
    if (!session.ports.startTls) throw new End(FAILED, NO_TLS);
    yield* start(session, "");
    return undefined;
  },
};

const isOffered = ({ ports, tls }: Session): boolean => ports.startTls !== undefined && !tls;

function* command(session: Session, arg: string): Answer {
  if (!isOffered(session)) return UNIMPLEMENTED;
  if (arg !== "") return NO_PARAMETERS;
  yield* flush(session);
  yield* start(session, `${READY_FOR_TLS}\r\n`);
  return undefined;
}

/** What was said before is not true any more, and what was received before is not used: CVE-2011-0411. */
function* start(session: Session, reply: string): Steps<void> {
  const { environment, ports, settings } = session;
  session.input = new Uint8Array(0);
  const tls = yield* ask(() => ports.startTls?.(reply, settings.timeout));
  if (!tls) throw new End(FAILED);
  session.tls = tls;
  session.helo = undefined;
  session.transaction = undefined;
  session.protocol = "ESMTPS"; // RFC 3848
  environment.set("SSL_PROTOCOL", tls.protocol);
  environment.set("SSL_CIPHER", tls.cipher);
  if (tls.serverName === "") environment.unset("SSL_TLS_SNI_SERVERNAME");
  else environment.set("SSL_TLS_SNI_SERVERNAME", tls.serverName);
}
