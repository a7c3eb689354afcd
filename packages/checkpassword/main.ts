import { closeSync } from "node:fs";
import { authenticate, type Credentials, type Verdict } from "@qmail-mysql/accounts";
import { verify, verifyCrypt } from "@qmail-mysql/password";
import { openStore, readSqlServer } from "@qmail-mysql/store";
import {
  becomeUser,
  changeDirectory,
  Die,
  exec,
  findSystemLogin,
  given,
  MISUSED,
  qmailHome,
  REFUSED,
  readAll,
  reason,
  systemCrypt,
  Trouble,
  Usage,
} from "@qmail-mysql/unix";
import { parseCredentials } from "./credentials.ts";

const MAX_INPUT = 512; // checkpassword(8): at most 512 bytes on descriptor 3

/** checkpassword prog: who is this? Becomes him and runs prog. checkpassword(8). */
export async function main(prog: readonly string[]): Promise<number> {
  if (prog.length === 0) throw new Usage(MISUSED, "checkpassword prog");
  const credentials = readCredentials();
  if (!credentials) return REFUSED;
  const qmail = qmailHome();
  const config = readSqlServer(qmail, "checkpassword");
  const store = await openStore(config, qmail);
  let verdict: Verdict;
  try {
    verdict = await authenticate(credentials, config, {
      findLogin: store.findLogin,
      findVirtual: store.findVirtual,
      decoy: store.decoy,
      findSystemLogin: async (name) => findSystemLogin(name, config.timeout, Date.now()),
      verify: (typed, stored, type, challenge) => verify(typed, stored, type, challenge, systemCrypt),
      verifySystem: (typed, hash) => verifyCrypt(typed, hash, systemCrypt),
    });
  } finally {
    await store.close(); // before prog begins, so that the server sees no connection break
  }
  if ("refused" in verdict) return REFUSED;
  const { user, uid, gid, home, shell } = verdict.accepted;
  becomeUser(uid, gid);
  changeDirectory(home);
  return exec(prog, { USER: user, HOME: home, SHELL: shell });
}

/** What descriptor 3 says; undefined when it is too long to be a login anybody has. */
function readCredentials(): Credentials | undefined {
  if (!given(3)) throw new Trouble("unable to read descriptor 3: descriptor not open");
  let bytes: Buffer;
  try {
    bytes = readAll(3, MAX_INPUT);
    closeSync(3);
  } catch (error) {
    throw new Trouble(`unable to read descriptor 3: ${reason(error)}`);
  }
  if (bytes.length > MAX_INPUT) return undefined;
  const credentials = parseCredentials(bytes.toString("latin1"));
  if (!credentials)
    throw new Die(MISUSED, "unable to use descriptor 3: login or password has no NUL at its end");
  return credentials;
}
