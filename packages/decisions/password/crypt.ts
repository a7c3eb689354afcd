import { equal } from "./equal.ts";
import { matchesNothing } from "./locked.ts";
import { Unverifiable } from "./unverifiable.ts";

/** crypt(3): the hash of `password` by `setting`; undefined if the method is not supported. Byte strings. */
export type Crypt = (password: string, setting: string) => string | undefined;

type Groups = readonly (string | undefined)[];

interface Method {
  /** Matches the whole hash. */
  readonly pattern: RegExp;
  /** Does it take more work or memory than a login may? An invalid or hostile row must not stop the service. */
  readonly isExpensive?: (groups: Groups) => boolean;
  /** No crypt(3) supports it. */
  readonly ours?: true;
  readonly portable?: (password: Buffer, stored: string, groups: Groups) => Promise<string>;
}

// The limits, each equivalent to some seconds of processor time.
export const MAX_ROUNDS = 5_000_000; // $5$ and $6$
export const MAX_BCRYPT_COST = 15;
export const MAX_ARGON2_MEMORY = 256 * 1024; // KiB
export const MAX_ARGON2_WORK = 4096 * 1024; // KiB times passes
// yescrypt and scrypt: 128 MiB, one lane, t = 0; the pattern says so (N at most 2^15, r at most 32).

const METHODS: readonly Method[] = [
  {
    pattern:
      /^\$([56])\$(?:rounds=([1-9][0-9]{3,8})\$)?([^$\n]{0,16})\$(?:[./0-9A-Za-z]{43}|[./0-9A-Za-z]{86})$/,
    isExpensive: ([, , rounds]) => Number(rounds ?? 0) > MAX_ROUNDS,
    portable: async (password, stored, [, id, rounds, salt = ""]) => {
      const { shaCrypt } = await import("./sha-crypt.ts");
      const prefix = stored.slice(0, stored.lastIndexOf("$") + 1);
      return prefix + shaCrypt(id === "5" ? "sha256" : "sha512", password, salt, Number(rounds ?? 5000));
    },
  },
  {
    pattern: /^\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./0-9A-Za-z]{53}$/,
    isExpensive: ([, cost]) => Number(cost) > MAX_BCRYPT_COST,
    portable: async (password, stored) => {
      // bcryptjs takes text and encodes it in UTF-8, so other byte strings are not supported.
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(password);
      const { hashSync } = (await import("bcryptjs")).default;
      return hashSync(text, stored.slice(0, 29));
    },
  },
  { pattern: /^\$g?y\$j[./0-9ABC][./0-9A-T]\$[./0-9A-Za-z]{1,86}\$[./0-9A-Za-z]{43}$/ },
  { pattern: /^\$7\$[./0-9ABC][./0-9A-U]\.\.\.\.\/\.\.\.\.[./0-9A-Za-z]{0,86}\$[./0-9A-Za-z]{43}$/ },
  {
    pattern:
      /^\$argon2(id|i|d)\$v=19\$m=([0-9]{1,10}),t=([0-9]{1,10}),p=([0-9]{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{11,172})$/,
    isExpensive: ([, , m, t]) => Number(m) > MAX_ARGON2_MEMORY || Number(m) * Number(t) > MAX_ARGON2_WORK,
    ours: true,
    portable: async (message, stored, [, kind, m, t, p, salt = "", tag = ""]) => {
      const { argon2Sync } = await import("node:crypto");
      const key = argon2Sync(`argon2${kind as "id" | "i" | "d"}`, {
        message,
        nonce: Buffer.from(salt, "base64"),
        memory: Number(m),
        passes: Number(t),
        parallelism: Number(p),
        tagLength: Buffer.from(tag, "base64").length,
      });
      return stored.slice(0, stored.lastIndexOf("$") + 1) + key.toString("base64").replace(/=+$/, "");
    },
  },
  { pattern: /^\$(1)\$([^$\n]{0,8})\$[./0-9A-Za-z]{22}$/, portable: md5 },
  { pattern: /^\$(apr1)\$([^$\n]{0,8})\$[./0-9A-Za-z]{22}$/, ours: true, portable: md5 },
  {
    pattern: /^[./0-9A-Za-z]{13}$/,
    portable: async (password, stored) => {
      const des = (await import("unix-crypt-td-js")).default;
      const salt = stored.slice(0, 2);
      // Passed as bytes: other than ASCII text is encoded differently. Eight bytes are significant.
      return des([...password.subarray(0, 8)], salt);
    },
  },
];

async function md5(password: Buffer, _stored: string, [, id, salt = ""]: Groups): Promise<string> {
  const { md5Crypt } = await import("./md5-crypt.ts");
  return `$${id}$${salt}$${md5Crypt(`$${id}$`, password, salt)}`;
}

/**
 * Is `typed` the password of a crypt(3) or Argon2 hash? Uses the system's crypt(3), or the portable methods if that is
 * missing or does not support the hash. A locked password ("!", "*") matches nothing. Throws Unverifiable.
 */
export async function verifyCrypt(typed: string, stored: string, crypt?: Crypt): Promise<boolean> {
  if (matchesNothing(stored)) return false;
  for (const { pattern, isExpensive, ours, portable } of METHODS) {
    const groups = pattern.exec(stored);
    if (!groups) continue;
    if (isExpensive?.(groups)) throw new Unverifiable("its hash costs more than a login may");
    const hashed =
      (ours ? undefined : crypt?.(typed, stored)) ??
      (await portable?.(Buffer.from(typed, "latin1"), stored, groups).catch(() => undefined));
    if (hashed === undefined) throw new Unverifiable("nothing on this system can compute its hash");
    return equal(hashed, stored);
  }
  throw new Unverifiable("its hash is invalid or of an unknown scheme");
}
