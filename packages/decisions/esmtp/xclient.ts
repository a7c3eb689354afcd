import {
  ask,
  clientOf,
  type Environment,
  type Extension,
  type Maybe,
  type Session,
  SYNTAX,
  sayAsIs,
} from "@qmail-mysql/smtp";

const FORBIDDEN = "550 XCLIENT is not allowed (#5.7.0)";
const IN_TRANSACTION = "503 no XCLIENT during mail transaction (#5.5.1)";
const BAD_ATTRIBUTE = "501 bad XCLIENT attribute (#5.5.4)";

const ATTRIBUTES = ["NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"];

/** What was decided about the proxy, not about its client. */
const OF_THE_PROXY = ["RELAYCLIENT", "TCPREMOTEHOST", "TCPREMOTEINFO", "TCPREMOTEPORT"];

export interface XclientSettings {
  /** Addresses that may use it, or their beginnings up to a dot or colon. */
  readonly proxies: readonly string[];
  /** Port: sets the variables of the new client, as tcpserver would have; undefined if nobody can. */
  readonly identify: ((environment: Environment) => Maybe<void>) | undefined;
}

/** XCLIENT of Postfix: a proxy tells who its client is. A right to relay is not that of the proxy. */
export function xclient({ proxies, identify }: XclientSettings): Extension {
  const isProxy = (ip: string) =>
    proxies.some((entry) => ip === entry || (/[.:]$/.test(entry) && ip.startsWith(entry)));
  let isTrusted: boolean | undefined;
  const mayUse = (session: Session) => {
    isTrusted ??= isProxy(session.client.ip);
    return isTrusted;
  };
  return {
    keywords: (session) => (mayUse(session) ? [`XCLIENT ${ATTRIBUTES.join(" ")}`] : []),
    commands: {
      *xclient(session, arg, isCut) {
        if (!mayUse(session)) return FORBIDDEN;
        if (session.transaction) return IN_TRANSACTION;
        const given = isCut ? undefined : attributes(arg);
        if (!given) return arg === "" ? SYNTAX : BAD_ATTRIBUTE;
        const { environment } = session;
        for (const name of OF_THE_PROXY) environment.unset(name);
        for (const [name, value] of given) environment.set(name, value);
        session.login = undefined;
        if (identify) yield* ask(() => identify(environment));
        session.client = clientOf(environment);
        session.helo = undefined;
        sayAsIs(session, `220 ${session.settings.greeting} ESMTP`);
        return undefined;
      },
    },
  };
}

const VARIABLES: Readonly<Record<string, string>> = {
  NAME: "TCPREMOTEHOST",
  ADDR: "TCPREMOTEIP",
  PORT: "TCPREMOTEPORT",
  LOGIN: "TCPREMOTEINFO",
  DESTADDR: "TCPLOCALIP",
  DESTPORT: "TCPLOCALPORT",
};

/** The variables to set; undefined if an attribute is invalid. */
function attributes(arg: string): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>();
  for (const word of arg.split(/ +/).filter((each) => each !== "")) {
    const [name = "", value] = word.split("=", 2);
    const upper = name.toUpperCase();
    if (value === undefined || !ATTRIBUTES.includes(upper)) return undefined;
    const variable = VARIABLES[upper];
    const text = value.replace(/\+([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
    if (/[\0\n]/.test(text)) return undefined;
    if (variable && !/^\[(UNAVAILABLE|TEMPUNAVAIL)\]$/i.test(text)) {
      found.set(variable, text.replace(/^IPV6:/i, ""));
    }
  }
  return found.size === 0 && arg === "" ? undefined : found;
}
