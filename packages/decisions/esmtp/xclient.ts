import type { DecideAgain, NamedClient } from "@qmail-mysql/connection";
import {
  type Answer,
  ask,
  clientOf,
  dataBytesFor,
  End,
  type Environment,
  type Extension,
  type Session,
  type Steps,
  SYNTAX,
  sayAsIs,
} from "@qmail-mysql/smtp";
import { formatIp, parseIp } from "@qmail-mysql/wire";

const FORBIDDEN = "550 XCLIENT is not allowed (#5.7.0)";
const IN_TRANSACTION = "503 no XCLIENT during mail transaction (#5.5.1)";
const BAD_ATTRIBUTE = "501 bad XCLIENT attribute (#5.5.4)";
const DENIED = "550 the client is denied (#5.7.1)";
const TROUBLE = "421 unable to decide about the client (#4.3.0)";

const ATTRIBUTES = ["NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"];

export interface XclientSettings {
  /** Addresses that may use it, or their beginnings up to a dot or colon. */
  readonly proxies: readonly string[];
  /** Repeats the decision of tcpserver-sql. */
  readonly decide: DecideAgain;
  /** Ends the session of a client that is on a blocklist. */
  readonly refuseListed: ((session: Session) => Steps<void>) | undefined;
}

/** XCLIENT of Postfix: a proxy tells who its client is. A right to relay is not that of the proxy. */
export function xclient({ proxies, decide, refuseListed }: XclientSettings): Extension {
  const isProxy = (ip: string) =>
    proxies.some((entry) => ip === entry || (/[.:]$/.test(entry) && ip.startsWith(entry)));
  let isTrusted: boolean | undefined;
  let isNamed = false;
  const mayUse = (session: Session) => {
    isTrusted ??= isProxy(session.client.ip);
    return isTrusted;
  };

  function* command(session: Session, arg: string, isCut: boolean): Answer {
    if (!mayUse(session)) return FORBIDDEN;
    if (session.transaction) return IN_TRANSACTION;
    if (arg === "") return SYNTAX;
    const given = isCut ? undefined : attributes(arg);
    const client = given && clientIn(given, isNamed ? session.environment : undefined);
    if (!client) return BAD_ATTRIBUTE;
    const { environment } = session;
    const answer = yield* ask(() => decide(environment.entries(), client));
    if ("trouble" in answer) {
      session.ports.log(`trouble: ${answer.trouble}`);
      throw new End(1, TROUBLE);
    }
    if ("denied" in answer) throw new End(1, DENIED);
    environment.replace(answer.environment);
    isNamed = true;
    session.login = undefined;
    session.helo = undefined;
    session.client = clientOf(environment);
    session.dataBytes = dataBytesFor(environment, session.settings);
    if (refuseListed) yield* refuseListed(session);
    sayAsIs(session, `220 ${session.settings.greeting} ESMTP`);
    return undefined;
  }

  return {
    keywords: (session) => (mayUse(session) ? [`XCLIENT ${ATTRIBUTES.join(" ")}`] : []),
    commands: { xclient: command },
  };
}

type Attributes = ReadonlyMap<string, string>;

/** The attributes, decoded (xtext, RFC 3461 §4), without those that are not known; undefined if one is invalid. */
function attributes(arg: string): Attributes | undefined {
  const found = new Map<string, string>();
  for (const word of arg.split(/ +/).filter((each) => each !== "")) {
    const [name = "", value] = word.split("=", 2);
    if (value === undefined || !ATTRIBUTES.includes(name.toUpperCase())) return undefined;
    const text = value.replace(/\+([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
    if (/[\0\r\n]/.test(text)) return undefined;
    if (!/^\[(UNAVAILABLE|TEMPUNAVAIL)\]$/i.test(text)) found.set(name.toUpperCase(), text);
  }
  return found;
}

/** The client; its address may be that of an earlier command, in `before`. Undefined without an address. */
function clientIn(given: Attributes, before: Environment | undefined): NamedClient | undefined {
  const ip = address(given.get("ADDR") ?? before?.get("TCPREMOTEIP"));
  if (ip === undefined) return undefined;
  const host = given.get("NAME") ?? before?.get("TCPREMOTEHOST");
  const info = given.get("LOGIN") ?? before?.get("TCPREMOTEINFO");
  const local = address(given.get("DESTADDR"));
  return {
    ip,
    port: port(given.get("PORT") ?? before?.get("TCPREMOTEPORT")),
    ...(host !== undefined && { host }),
    ...(info !== undefined && { info }),
    ...(local !== undefined && { local: { ip: local, port: port(given.get("DESTPORT")) } }),
  };
}

function address(text: string | undefined): string | undefined {
  const ip = text === undefined ? undefined : parseIp(text.replace(/^IPV6:/i, ""));
  return ip && formatIp(ip);
}

const port = (text: string | undefined): number => (/^\d{1,5}$/.test(text ?? "") ? Number(text) : 0);
