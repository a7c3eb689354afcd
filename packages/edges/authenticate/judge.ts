import { authenticate, type Credentials, type LoginPorts, type Verdict } from "@qmail-mysql/accounts";
import type { Site } from "@qmail-mysql/store";
import { systemCrypt } from "@qmail-mysql/system";

/** Decides a login in this process: mailboxes of the database, and system accounts. */
export const judgeHere = (credentials: Credentials, site: Site): Promise<Verdict> =>
  authenticate(credentials, site.settings, portsOf(site));

/** Decides a login among system accounts alone: qmail-sqld decides about mailboxes. */
export function judgeAsSystem(credentials: Credentials, site: Site): Promise<Verdict> {
  const none = async () => undefined;
  const systemOnly = { ...portsOf(site), findLogin: none, findVirtual: async () => [], decoy: none };
  return authenticate(credentials, site.settings, systemOnly);
}

function portsOf({ store, settings }: Site): LoginPorts {
  return {
    findLogin: store.findLogin,
    findVirtual: store.findVirtual,
    decoy: store.decoy,
    // Loaded when no mailbox has the login.
    findSystemLogin: async (name) => {
      const { findSystemLogin } = await import("@qmail-mysql/system/system-login");
      return findSystemLogin(name, settings.timeout, Date.now());
    },
    // Loaded only if there is something to verify, which with qmail-sqld is rare.
    verify: async (typed, stored, type, challenge) =>
      (await import("@qmail-mysql/password")).verify(typed, stored, type, challenge, systemCrypt),
    verifySystem: async (typed, hash) =>
      (await import("@qmail-mysql/password")).verifyCrypt(typed, hash, systemCrypt),
  };
}
