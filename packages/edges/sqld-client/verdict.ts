import type { Credentials, Verdict } from "@qmail-mysql/accounts";
import { toMailbox } from "@qmail-mysql/database";
import { Trouble } from "@qmail-mysql/trouble";
import { GRACE, loginSeconds, type Sqld } from "./protocol.ts";

/** Where the client is that logs in, as tcpserver's environment says: its address, and the port it connected to. */
export interface LoginClient {
  readonly address: string;
  readonly port: string;
}

/** qmail-sqld, of whatever version. */
export interface AnySqld extends Sqld {
  /** It takes a LoginClient. */
  readonly takesClient: boolean;
}

/** qmail-sqld's verdict about a login; "unknown" means that no mailbox has it. Throws Trouble. */
export async function askVerdict(
  sqld: AnySqld,
  { login, password, challenge }: Credentials,
  { address, port }: LoginClient,
  timeout: number,
): Promise<Verdict> {
  const fields = [login, password, challenge, ...(sqld.takesClient ? [address, port] : [])];
  const answer = await sqld.ask("authenticate", fields, loginSeconds(timeout) + GRACE);
  if (!answer) return { refused: "unknown" };
  const [verdict, user = "", uid = "", gid = "", home = "", shell = ""] = answer;
  if (verdict === "refused") return { refused: user === "suspended" ? "suspended" : "wrong password" };
  if (verdict !== "accepted" || shell === "") throw new Trouble("unable to use qmail-sqld's verdict");
  // The same scrutiny as a row of the database gets: this is whom a root process is to become.
  const { username, ...checked } = toMailbox({ username: user, uid, gid, home });
  if (checked.uid === 0 || checked.gid === 0)
    throw new Trouble("unable to use qmail-sqld's verdict: a uid or gid of 0");
  return { accepted: { user: username, uid: checked.uid, gid: checked.gid, home: checked.home, shell } };
}

/** Tells qmail-sqld what became of a login that no mailbox has: it delays who guesses, and keeps the log. */
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
