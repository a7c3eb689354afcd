import { authenticate, type Credentials, type LoginPorts, type Verdict } from "@qmail-mysql/accounts";
import type { Ask, Row } from "@qmail-mysql/database";
import { verify } from "@qmail-mysql/password";
import { type Store, storeOver } from "@qmail-mysql/store";
import { lower } from "@qmail-mysql/wire";
import type { Cache, Keep } from "../cache.ts";
import type { Hashers, Requester } from "../edge/hashers.ts";

/** What the check of a login needs. */
export interface LoginWorld {
  readonly cache: Cache<Row[]>;
  readonly keep: Keep;
  readonly ask: Ask;
  readonly funkyQueries: boolean;
  /** Verifies off the event loop. */
  readonly hash: Hashers["verify"];
}

/** Password types that take no more than a comparison or a few rounds of SHA-1: computed on the event loop. */
const CHEAP = ["password", "mysql-password"];

/** Decides a login. If it is refused with cached rows, it is decided again with the current ones. */
export async function judgeLogin(
  world: LoginWorld,
  credentials: Credentials,
  requester: Requester,
): Promise<Verdict> {
  const memo = new Map<string, Promise<boolean>>();
  const verifyOnce: LoginPorts["verify"] = (typed, stored, type, challenge) => {
    const key = JSON.stringify([stored, type]);
    const before = memo.get(key);
    if (before) return before;
    const isCheap = CHEAP.includes(lower(type));
    const now = isCheap
      ? verify(typed, stored, type, challenge)
      : world.hash(requester, typed, stored, type, challenge);
    memo.set(key, now);
    return now;
  };
  let usedKept = false;
  const kept = cachedStore(world, world.keep, () => {
    usedKept = true;
  });
  const verdict = await authenticate(credentials, world, ports(kept, verifyOnce));
  if ("accepted" in verdict || !usedKept) return verdict;
  const fresh = cachedStore(world, { ...world.keep, ttl: 0, negativeTtl: 0 }, () => {});
  return authenticate(credentials, world, ports(fresh, verifyOnce));
}

/** System accounts are left to the client: qmail-sqld may not read their passwords. */
function ports({ findLogin, findVirtual, decoy }: Store, verifyOnce: LoginPorts["verify"]): LoginPorts {
  return {
    findLogin,
    findVirtual,
    decoy,
    verify: verifyOnce,
    findSystemLogin: async () => undefined,
    verifySystem: async () => false,
  };
}

/** A store that reads through the cache. Calls `onKept` when rows come from the cache. */
export function cachedStore(
  world: Pick<LoginWorld, "cache" | "ask" | "funkyQueries">,
  keep: Keep,
  onKept: () => void,
): Store {
  return storeOver(
    {
      async ask(question, values) {
        const got = world.cache.get(JSON.stringify([question, values]), keep, () =>
          world.ask(question, values),
        );
        if (!(got instanceof Promise)) onKept();
        return got;
      },
      close: async () => {},
    },
    world.funkyQueries,
  );
}
