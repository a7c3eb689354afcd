import type { AuthenticateClient, LoginAttempt } from "@qmail-mysql/accounts";
import {
  type Answer,
  ask,
  clientOf,
  End,
  type Extension,
  flush,
  readLine,
  type Session,
  type Steps,
  sayAsIs,
} from "@qmail-mysql/smtp";
import { base64, fromBase64 } from "@qmail-mysql/wire";

export type Mechanism = LoginAttempt["mechanism"];

export interface AuthSettings {
  readonly mechanisms: readonly Mechanism[];
  /** Offers AUTH without TLS. */
  readonly isAllowedInClear: boolean;
  /** MAIL is refused without a login. */
  readonly isRequired: boolean;
  /** For the login log: smtp, submission or submissions. */
  readonly service: (session: Session) => string;
  /** Milliseconds before the reply to a failed login; 0 if the port delays it itself. */
  readonly delay: number;
  readonly authenticate: AuthenticateClient;
  /** Is called after a right login; its reply refuses the login. */
  readonly accepted?: (session: Session) => Answer;
}

const ACCEPTED = "235 ok, go ahead (#2.7.0)";
const ALREADY_AUTHENTICATED = "503 you're already authenticated (#5.5.1)";
const IN_TRANSACTION = "503 no auth during mail transaction (#5.5.1)";
const NO_MECHANISM = "504 auth type unimplemented (#5.5.4)";
const IN_CLEAR = "538 encryption required for authentication (#5.7.11)";
const MALFORMED = "501 malformed auth input (#5.5.2)";
const TOO_LONG = "500 auth input too long (#5.5.6)";
const CANCELED = "501 auth exchange canceled (#5.7.0)";
const REFUSED = "535 authentication failed (#5.7.8)";
const TROUBLE = "454 unable to check the login now, try again later (#4.7.0)";
const REQUIRED = "530 authentication required (#5.7.0)";
const TOO_MANY = "421 too many failed logins (#4.7.0)";

const MAX_LINE = 12_288; // bytes: RFC 4954 §4
const MAX_FAILURES = 3; // a session

/** What a client has sent to log in. */
type Given = Pick<LoginAttempt, "login" | "password" | "challenge">;

/** AUTH (RFC 4954) with PLAIN, LOGIN and CRAM-MD5. */
export function auth(settings: AuthSettings): Extension {
  let failures = 0;
  const isOffered = ({ tls }: Session) => tls !== undefined || settings.isAllowedInClear;

  function* command(session: Session, arg: string, isCut: boolean): Answer {
    if (session.login !== undefined) return ALREADY_AUTHENTICATED;
    if (session.transaction) return IN_TRANSACTION;
    if (isCut || arg.length > MAX_LINE) return TOO_LONG;
    const [name = "", initial] = arg.split(/ +/, 2);
    const mechanism = settings.mechanisms.find((each) => each === name.toUpperCase());
    if (!mechanism) return NO_MECHANISM;
    if (!isOffered(session)) return IN_CLEAR;
    const given = yield* EXCHANGES[mechanism](session, initial);
    if (typeof given === "string") return given;
    return yield* check(session, { ...given, mechanism });
  }

  function* check(session: Session, given: Given & { mechanism: Mechanism }): Answer {
    const { environment } = session;
    const answer = yield* ask(() =>
      settings.authenticate({
        ...given,
        service: settings.service(session),
        client: {
          address: environment.get("TCPREMOTEIP") ?? "",
          port: environment.get("TCPLOCALPORT") ?? "",
        },
        environment: environment.entries(),
      }),
    );
    if ("trouble" in answer) {
      session.ports.log(`trouble: ${answer.trouble}`);
      return TROUBLE;
    }
    if ("refused" in answer) {
      if (settings.delay > 0) yield* ask(() => session.ports.pause(settings.delay));
      if (++failures >= MAX_FAILURES) throw new End(1, TOO_MANY);
      return REFUSED;
    }
    const before = session.environment.entries();
    become(session, answer.accepted.login, given.mechanism);
    const refusal = settings.accepted ? yield* settings.accepted(session) : undefined;
    if (refusal === undefined) return ACCEPTED;
    session.login = undefined;
    environment.replace(before);
    session.client = clientOf(environment);
    return refusal;
  }

  return {
    keywords: (session) =>
      isOffered(session) && session.login === undefined ? [`AUTH ${settings.mechanisms.join(" ")}`] : [],
    commands: { auth: command },
    atCommand({ login }, verb) {
      return settings.isRequired && login === undefined && verb === "mail" ? REQUIRED : undefined;
    },
  };
}

/** The client may relay, and qmail-queue gets the login in the variables of the patches. */
function become(session: Session, login: string, mechanism: Mechanism): void {
  const { environment } = session;
  session.login = login;
  environment.set("RELAYCLIENT", "");
  environment.set("TCPREMOTEINFO", login);
  environment.set("SMTPAUTHUSER", login);
  environment.set("SMTP_AUTH_USER", login);
  environment.set("SMTPAUTHMETHOD", mechanism.toLowerCase());
  session.client = clientOf(environment);
}

type Exchange = (session: Session, initial: string | undefined) => Steps<Given | string>;

const EXCHANGES: Readonly<Record<Mechanism, Exchange>> = {
  *PLAIN(session, initial) {
    const line = yield* response(session, "", initial);
    if ("refusal" in line) return line.refusal;
    const [authorize, login, password, ...more] = line.text.split("\0");
    if (login === undefined || login === "" || password === undefined || more.length > 0) return MALFORMED;
    // To act as another is not supported.
    if (authorize !== "" && authorize !== login) return REFUSED;
    return { login, password, challenge: "" };
  },
  *LOGIN(session, initial) {
    const login = yield* response(session, base64("Username:"), initial);
    if ("refusal" in login) return login.refusal;
    const password = yield* response(session, base64("Password:"), undefined);
    if ("refusal" in password) return password.refusal;
    return login.text === "" ? MALFORMED : { login: login.text, password: password.text, challenge: "" };
  },
  *"CRAM-MD5"(session, initial) {
    if (initial !== undefined) return MALFORMED;
    const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
    const challenge = `<${random}.${session.ports.now()}@${session.settings.greeting}>`;
    const line = yield* response(session, base64(challenge), undefined);
    if ("refusal" in line) return line.refusal;
    const space = line.text.lastIndexOf(" ");
    if (space <= 0) return MALFORMED;
    return {
      login: line.text.slice(0, space),
      password: line.text.slice(space + 1).toLowerCase(),
      challenge,
    };
  },
};

/** The next response of the client: the initial one, where = is empty, or the line after a challenge. */
function* response(session: Session, challenge: string, initial: string | undefined) {
  if (initial !== undefined && initial !== "") return decoded(initial === "=" ? "" : initial);
  sayAsIs(session, `334 ${challenge}`);
  yield* flush(session);
  const { text: line, isCut } = yield* readLine(session);
  if (isCut || line.length > MAX_LINE) return { refusal: TOO_LONG };
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  return text === "*" ? { refusal: CANCELED } : decoded(text);
}

function decoded(text: string): { readonly text: string } | { readonly refusal: string } {
  const bytes = fromBase64(text);
  return bytes === undefined ? { refusal: MALFORMED } : { text: bytes };
}
