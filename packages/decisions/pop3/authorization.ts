import { ask, type Maybe, type Steps } from "@qmail-mysql/steps";
import { REFUSED, SOFT } from "@qmail-mysql/trouble";
import { base64, fromBase64, nulEnded, parseCommand } from "@qmail-mysql/wire";
import { type LineInput, TOO_LONG } from "./line-input.ts";
import { capabilities, err, ok, TOO_LONG_REPLY } from "./replies.ts";
import type { Client } from "./serve.ts";

/** SASL mechanisms (RFC 4616, RFC 2195). */
export type Mechanism = "PLAIN" | "CRAM-MD5";

/** The credentials of a client. */
export interface Attempt {
  readonly user: string;
  /** The password; with APOP and CRAM-MD5 the digest. */
  readonly pass: string;
  /** What the digest is of: the timestamp of the greeting; empty with PLAIN. */
  readonly challenge: string;
}

/** What the AUTHORIZATION state (RFC 1939) offers. */
export interface Authorization {
  readonly timestamp: string;
  /** The greeting contains the timestamp. */
  readonly offersApop: boolean;
  readonly mechanisms: readonly Mechanism[];
  /** May a password be sent now? Without TLS it may be read by others. */
  readonly maySendPassword: () => boolean;
  /** Port: begins TLS after this reply; false if that fails. Undefined if it is not offered, or not any more. */
  readonly startTls: () => ((reply: string) => Maybe<boolean>) | undefined;
  /** Port: checks the login and serves the client; or returns the reply that refuses it. */
  readonly authenticate: (attempt: Attempt) => Maybe<string | undefined>;
}

/** How it ended: the client was served, has left, or was refused, which is the last reply of the session. */
export type LoginEnding = "served" | "gone" | "refused";

const SYNTAX = err("syntax error");
const IN_CLEAR = err("encryption required: use STLS first");

/** Greets a client and serves it up to its login, as qmail-popup does. One attempt is made. */
export function* authorize(client: Client, input: LineInput, offered: Authorization): Steps<LoginEnding> {
  const say = (text: string) => ask(() => client.write(text));
  yield* say(ok(offered.offersApop ? offered.timestamp : ""));
  for (let user: string | undefined; ; ) {
    const line = yield* input.next();
    if (line === undefined) return "gone";
    if (line === TOO_LONG) {
      yield* say(TOO_LONG_REPLY);
      return "refused";
    }
    const { verb, arg } = parseCommand(line);
    let step: string | Attempt | "gone" = err("authorization first");
    if (verb === "quit") {
      yield* say(ok());
      return "gone";
    } else if (verb === "noop") step = ok();
    else if (verb === "capa") step = capabilities(offersOf(offered));
    else if (verb === "user") {
      step = !offered.maySendPassword() ? IN_CLEAR : arg === "" ? SYNTAX : ok();
      if (step === ok()) user = arg;
    } else if (verb === "pass") step = passed(user, arg, offered);
    else if (verb === "apop") step = digested(arg, offered);
    else if (verb === "auth" && offered.mechanisms.length > 0)
      step = yield* sasl(arg, client, input, offered);
    else if (verb === "stls" && offered.mechanisms.length > 0) {
      const startTls = offered.startTls();
      if (startTls) {
        input.rest(); // what a client, or somebody on the way, sent before TLS: CVE-2011-0411
        if (!(yield* ask(() => startTls(ok("begin TLS"))))) return "gone";
        user = undefined;
        continue;
      }
      step = err("TLS is not available");
    }
    if (step === "gone") return step;
    if (typeof step === "string") yield* say(step);
    else {
      const attempt = step;
      const refusal = yield* ask(() => offered.authenticate(attempt));
      if (refusal === undefined) return "served";
      yield* say(refusal);
      return "refused";
    }
  }
}

function offersOf({ mechanisms, maySendPassword, startTls }: Authorization) {
  const user = maySendPassword();
  return {
    user,
    stls: startTls() !== undefined,
    sasl: mechanisms.filter((each) => user || each !== "PLAIN"),
  };
}

function passed(user: string | undefined, pass: string, offered: Authorization): string | Attempt {
  if (!offered.maySendPassword()) return IN_CLEAR;
  if (user === undefined) return err("USER first");
  return pass === "" ? SYNTAX : { user, pass, challenge: offered.timestamp };
}

function digested(arg: string, { timestamp }: Authorization): string | Attempt {
  const space = arg.indexOf(" ");
  return space < 0 ? SYNTAX : { user: arg.slice(0, space), pass: arg.slice(space + 1), challenge: timestamp };
}

/** AUTH (RFC 5034). */
function* sasl(
  arg: string,
  client: Client,
  input: LineInput,
  offered: Authorization,
): Steps<string | Attempt | "gone"> {
  const [name = "", initial] = arg.split(/ +/, 2);
  const mechanism = offered.mechanisms.find((each) => each === name.toUpperCase());
  if (!mechanism) return err("unsupported mechanism");
  if (mechanism === "PLAIN" && !offered.maySendPassword()) return IN_CLEAR;
  const challenge = mechanism === "PLAIN" ? "" : offered.timestamp;
  let text = initial === "=" ? "" : initial;
  if (text === undefined || challenge !== "") {
    if (text !== undefined) return SYNTAX;
    yield* ask(() => client.write(`+ ${base64(challenge)}\r\n`));
    const line = yield* input.next();
    if (line === undefined) return "gone";
    if (line === TOO_LONG) return TOO_LONG_REPLY;
    text = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (text === "*") return err("canceled");
  }
  const response = fromBase64(text);
  const given = response === undefined ? undefined : GIVEN[mechanism](response);
  return given ? { ...given, challenge } : SYNTAX;
}

type Given = Pick<Attempt, "user" | "pass">;

const GIVEN: Readonly<Record<Mechanism, (response: string) => Given | undefined>> = {
  PLAIN(response) {
    const [authorize, user, pass, ...more] = response.split("\0");
    // To act as another is not supported.
    const isOwn = authorize === "" || authorize === user;
    return user && pass !== undefined && more.length === 0 && isOwn ? { user, pass } : undefined;
  },
  "CRAM-MD5"(response) {
    const space = response.lastIndexOf(" ");
    if (space <= 0) return undefined;
    return { user: response.slice(0, space), pass: response.slice(space + 1).toLowerCase() };
  },
};

/** The input of checkpassword on descriptor 3. */
export function credentials({ user, pass, challenge }: Attempt): string {
  return nulEnded([user, pass, challenge]);
}

/** The replies to a login that is not served, with response codes (RFC 2449 §8, RFC 3206): try again later or not? */
export const LOGIN_REPLIES = {
  refused: err("[AUTH] authorization failed"),
  trouble: err("[SYS/TEMP] unable to check the password, try again later"),
  busy: err("[IN-USE] too many sessions of this login"),
} as const;

/** How a subprogram ended: its exit code or the signal that killed it. */
export interface SubprogramEnding {
  readonly code: number | null;
  readonly signal: string | null;
}

/**
 * The reply after the subprogram has ended; undefined if it served the client. The texts are those of stock
 * qmail-popup, with response codes for the exit codes of checkpassword.
 */
export function replyAfter({ code, signal }: SubprogramEnding): string | undefined {
  if (signal !== null) return err("aack, child crashed");
  switch (code) {
    case 0:
      return undefined;
    case REFUSED:
      return LOGIN_REPLIES.refused;
    case SOFT:
      return LOGIN_REPLIES.trouble;
    default:
      return err("authorization failed");
  }
}
