import type { Credentials, Verdict } from "@qmail-mysql/accounts";
import { toMailbox } from "@qmail-mysql/database";
import { Trouble } from "@qmail-mysql/trouble";
import { GRACE, loginSeconds, type Sqld } from "./protocol.ts";

/** The client of a login, from the environment set by tcpserver: its address and the port it connected to. */
export interface LoginClient {
  readonly address: string;
  readonly port: string;
  /** The service, if it differs from that of the port. The verdict is then final, also for system accounts. */
  readonly service?: string;
}

/** A client of qmail-sqld with any version of the protocol. */
export interface AnySqld extends Sqld {
  /** It accepts a LoginClient. */
  readonly takesClient: boolean;
  /** It accepts the service of a LoginClient. */
  readonly takesService: boolean;
}

/** Asks qmail-sqld for the verdict about a login; "unknown" means that no mailbox has this name. Throws Trouble. */
export async function askVerdict(
  sqld: AnySqld,
  { login, password, challenge }: Credentials,
  { address, port, service }: LoginClient,
  timeout: number,
): Promise<Verdict> {
  const client = [address, port, ...(sqld.takesService && service !== undefined ? [service] : [])];
  const fields = [login, password, challenge, ...(sqld.takesClient ? client : [])];
  const answer = await sqld.ask("authenticate", fields, loginSeconds(timeout) + GRACE);
  if (!answer) return { refused: "unknown" };
  const [verdict, user = "", uid = "", gid = "", home = "", shell = ""] = answer;
  if (verdict === "refused") return { refused: user === "suspended" ? "suspended" : "wrong password" };
  if (verdict !== "accepted" || shell === "") throw new Trouble("unable to use qmail-sqld's verdict");
  // Checked like a row of the database: a root process is going to become this account.
  const { username, ...checked } = toMailbox({ username: user, uid, gid, home });
  if (checked.uid === 0 || checked.gid === 0)
    throw new Trouble("unable to use qmail-sqld's verdict: a uid or gid of 0");
  return { accepted: { user: username, uid: checked.uid, gid: checked.gid, home: checked.home, shell } };
}

/** Reports to qmail-sqld the verdict about a login without a mailbox, for its delays and its log. */
export async function tellVerdict(
  sqld: AnySqld,
  login: string,
  verdict: Verdict,
  { address, port }: LoginClient,
  timeout: number,
): Promise<void> {
  if (!sqld.takesClient) return;
  const word = "accepted" in verdict ? "accepted" : verdict.refused;
  await sqld.ask("recordVerdict", [login, word, address, port], timeout + GRACE);
}
