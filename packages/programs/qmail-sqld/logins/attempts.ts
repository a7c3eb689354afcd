import type { Verdict } from "@qmail-mysql/accounts";
import type { Counted, LoginDelays } from "@qmail-mysql/fairness";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { formatIp, type Ip, lower, parseIp } from "@qmail-mysql/wire";
import { type Answer, found, InvalidQuestion, NONE, type Peer } from "../answer.ts";
import type { Requester } from "../edge/hashers.ts";
import type { LoginCounts } from "./counts.ts";
import type { Attempt } from "./login-line.ts";

/** What the questions about logins need. */
export interface AttemptWorld {
  readonly judge: (
    credentials: { readonly login: string; readonly password: string; readonly challenge: string },
    requester: Requester,
  ) => Promise<Verdict>;
  readonly delays: LoginDelays;
  readonly counts: Pick<LoginCounts, "note">;
  /** Is this uid trusted to give the client's address and the verdicts about system accounts? */
  readonly isBelieved: (uid: number) => boolean;
  /** Is this the address of many users, for example of a webmail server? */
  readonly isShared: (address: Ip) => boolean;
  readonly log: (attempt: Attempt) => void;
  readonly pause: (ms: number) => Promise<void>;
}

// Failures that cause no delay: for one login, and for all logins of an address or of a uid that is not trusted.
const FREE = 4;
const FREE_OF_ALL = 20;
const FORGETS = 60_000; // milliseconds after which one failure of an address is forgotten
const PARALLEL = 8; // concurrent attempts for one login that do not delay each other
const NOT_YET = 5000; // milliseconds before the answer that the login has to be tried later
const MAX_PORT = 5; // digits
const MAX_SERVICE = 32;
const NETWORK = 8; // bytes of an IPv6 address: a client has at least a /64 to choose from

interface Asking extends Requester {
  readonly uid: number | undefined;
  readonly address: string | undefined;
  readonly port: string;
  readonly service: string;
  readonly counted: readonly Counted[];
}

/** The questions `authenticate` and `recordVerdict`. */
export function attemptQuestions(world: AttemptWorld) {
  const { delays, counts } = world;
  const note = (asking: Asking, verdict: Attempt["verdict"], why: string) => {
    counts.note({ ...asking, verdict });
    world.log({ ...asking, verdict, why });
  };

  async function authenticate(fields: readonly string[], peer: Peer): Promise<Answer> {
    const [login, password, challenge, address = "", port = "", service = ""] = fields;
    if (![3, 5, 6].includes(fields.length) || login === undefined || password === undefined) {
      throw new InvalidQuestion("unable to answer authenticate: a wrong number of fields");
    }
    const asking = askingOf(world, peer, { login, address, port, service });
    const place = delays.begin(asking.counted);
    if ("later" in place) {
      note(asking, "delayed", "too many failures");
      await world.pause(NOT_YET);
      const seconds = Math.ceil(place.later / 1000);
      throw new Trouble(`unable to judge this login: too many failures; try again in ${seconds} seconds`);
    }
    if (place.wait > 0) await world.pause(place.wait);
    let verdict: Verdict;
    try {
      verdict = await world.judge({ login, password, challenge: challenge ?? "" }, asking);
    } catch (error) {
      delays.end(asking.counted, undefined);
      note(asking, "trouble", reason(error));
      throw error;
    }
    // checkpassword as root now looks the login up among the system accounts, and reports with recordVerdict.
    const isUnknown = "refused" in verdict && verdict.refused === "unknown";
    if (isUnknown && fields.length === 5 && asking.uid === 0) delays.end(asking.counted, undefined);
    else {
      const isRight = "accepted" in verdict;
      delays.end(asking.counted, isRight);
      note(asking, isRight ? "accepted" : "refused", "refused" in verdict ? verdict.refused : "");
    }
    return verdictAnswer(verdict);
  }

  function recordVerdict(fields: readonly string[], peer: Peer): Answer {
    const [login, verdict, address, port] = fields;
    if (fields.length !== 4 || login === undefined || address === undefined || port === undefined) {
      throw new InvalidQuestion("unable to answer recordVerdict: a wrong number of fields");
    }
    if (!world.isBelieved(peer()))
      throw new Trouble(`unable to record a verdict: not uid ${peer()}'s to say`);
    const asking = askingOf(world, peer, { login, address, port, service: "" });
    const isRight = verdict === "accepted";
    if (!isRight) delays.failed(asking.counted);
    note(asking, isRight ? "accepted" : "refused", isRight ? "system account" : (verdict ?? ""));
    return found([]);
  }

  return { authenticate, recordVerdict };
}

/**
 * Adds the keys under which an attempt is counted. If the uid that asks is trusted: the address with the login, and the
 * address alone, unless it is shared. Else that uid, with the login and alone. For a trusted uid that gives no address
 * nothing is counted: the count would be shared by all clients, and each could lock out the others.
 */
function askingOf(
  { isBelieved, isShared }: Pick<AttemptWorld, "isBelieved" | "isShared">,
  peer: Peer,
  { login, address, port, service }: Record<"login" | "address" | "port" | "service", string>,
): Asking {
  const uid = uidOf(peer);
  const name = lower(login);
  const fields = { uid, login: name, port: port.slice(0, MAX_PORT), service: service.slice(0, MAX_SERVICE) };
  const ofLogin = (owner: string): Counted => ({ key: `${owner} ${name}`, free: FREE, parallel: PARALLEL });
  const ofAll = (owner: string): Counted => ({ key: owner, free: FREE_OF_ALL, parallel: Infinity });
  if (uid !== undefined && isBelieved(uid)) {
    const ip = parseIp(address);
    if (!ip) return { ...fields, address: undefined, owner: `${uid}`, counted: [] };
    const from = formatIp(ip);
    const all = isShared(ip) ? [] : [{ ...ofAll(networkOf(ip)), forgets: FORGETS }];
    return { ...fields, address: from, owner: from, counted: [ofLogin(from), ...all] };
  }
  const owner = `uid ${uid ?? "-"}`;
  return { ...fields, address: undefined, owner, counted: [ofLogin(owner), ofAll(owner)] };
}

/** The address of an IPv4 client, the /64 network of an IPv6 client. */
const networkOf = (ip: Ip): string =>
  ip.length === 4 ? formatIp(ip) : `${formatIp(ip.map((byte, i) => (i < NETWORK ? byte : 0)))}/64`;

function uidOf(peer: Peer): number | undefined {
  try {
    return peer();
  } catch {
    return undefined;
  }
}

function verdictAnswer(verdict: Verdict): Answer {
  if ("accepted" in verdict) {
    const { user, uid, gid, home, shell } = verdict.accepted;
    return found(["accepted", user, uid, gid, home, shell]);
  }
  return verdict.refused === "unknown" ? NONE : found(["refused", verdict.refused]);
}
