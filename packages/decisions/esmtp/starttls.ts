import {
  type Answer,
  ask,
  End,
  type Environment,
  type Extension,
  flush,
  type Session,
  type Steps,
  type TlsInfo,
} from "@qmail-mysql/smtp";

// Of the patches for TLS.
const READY = "220 ready for tls";
const NO_PARAMETERS = "501 Syntax error (no parameters allowed) (#5.5.4)";
const NO_TLS = "454 TLS not available due to temporary reason (#5.7.3)";
const NOT_OFFERED = "502 unimplemented (#5.5.1)";
const REQUIRED = "530 Must issue a STARTTLS command first (#5.7.0)";

const FREE = ["noop", "helo", "ehlo", "starttls", "rset", "quit", "help"]; // RFC 3207 §4
const FAILED = 1; // exit code, as after any session without QUIT

/** STARTTLS (RFC 3207), and TLS from the first byte if SMTPS is set in the environment of the session. */
export function starttls(use: "yes" | "no" | "required"): Extension {
  const isOffered = ({ ports, tls }: Session) => use !== "no" && ports.startTls !== undefined && !tls;
  return {
    keywords: (session) => (isOffered(session) ? ["STARTTLS"] : []),
    commands: {
      starttls: (session, arg) =>
        !isOffered(session) ? NOT_OFFERED : arg === "" ? command(session) : NO_PARAMETERS,
    },
    *atStart(session) {
      session.tls = behindTls(session.environment);
      if (session.environment.get("SMTPS") === undefined || session.tls) return undefined;
      if (!session.ports.startTls) throw new End(FAILED, NO_TLS);
      yield* start(session, "");
      return undefined;
    },
    atCommand: ({ tls }, verb) => (use === "required" && !tls && !FREE.includes(verb) ? REQUIRED : undefined),
  };
}

/** What a TLS server in front of this one has negotiated. */
function behindTls({ get }: Environment): TlsInfo | undefined {
  const protocol = get("SSL_PROTOCOL");
  if (protocol === undefined) return undefined;
  return { protocol, cipher: get("SSL_CIPHER") ?? "", serverName: get("SSL_TLS_SNI_SERVERNAME") ?? "" };
}

function* command(session: Session): Answer {
  yield* flush(session);
  yield* start(session, `${READY}\r\n`);
  return undefined;
}

/** The state of the session is discarded, and so is input that was received before: CVE-2011-0411. */
function* start(session: Session, reply: string): Steps<void> {
  const { environment, ports, settings } = session;
  session.input = new Uint8Array(0);
  const tls = yield* ask(() => ports.startTls?.(reply, settings.timeout));
  if (!tls) throw new End(FAILED);
  session.tls = tls;
  session.helo = undefined;
  session.transaction = undefined;
  environment.set("SSL_PROTOCOL", tls.protocol);
  environment.set("SSL_CIPHER", tls.cipher);
  if (tls.serverName === "") environment.unset("SSL_TLS_SNI_SERVERNAME");
  else environment.set("SSL_TLS_SNI_SERVERNAME", tls.serverName);
}
