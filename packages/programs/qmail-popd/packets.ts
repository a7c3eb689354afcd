import { base64, fromBase64, nulEnded, nulFields } from "@qmail-mysql/wire";

// The packets between the processes of qmail-popd: NUL-terminated fields, with the descriptor of the connection.

/** A login that a greeting worker asks the monitor to check, and to serve the connection that comes with it. */
export interface LoginRequest {
  readonly id: number;
  readonly login: string;
  /** With APOP and CRAM-MD5 the digest, of `challenge`. */
  readonly password: string;
  readonly challenge: string;
  /** TCPREMOTEIP and TCPLOCALPORT. */
  readonly address: string;
  readonly port: string;
  /** What the client has sent beyond its login. */
  readonly unread: Uint8Array;
}

/** What becomes of it: taken is followed by over when the session has ended. */
export const ANSWERS = ["taken", "over", "refused", "trouble", "busy"] as const;
export type Answer = (typeof ANSWERS)[number];

/** A session for a worker of its mailbox. */
export interface Session {
  readonly id: number;
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly home: string;
  readonly unread: Uint8Array;
}

export const UNREAD_LIMIT = 16_384; // bytes
export const PACKET_LIMIT = 32_768; // bytes: `unread` in Base64, and the rest
const LOGIN_LIMIT = 512; // bytes of login, password and challenge: checkpassword(8)
const NAME = /^[0-9A-Fa-f.:]{0,64}$/;
const PORT = /^[0-9]{0,5}$/;
const NUMBER = /^(0|[1-9][0-9]{0,14})$/;

const toText = (bytes: Uint8Array) => base64(Buffer.from(bytes).toString("latin1"));
const toBytes = (text: string) => {
  const bytes = fromBase64(text);
  return bytes === undefined ? undefined : Buffer.from(bytes, "latin1");
};

export function encodeLogin({ id, login, password, challenge, address, port, unread }: LoginRequest): string {
  return nulEnded([id, login, password, challenge, address, port, toText(unread)]);
}

/** Can it be a login? If not, it is refused without being asked. */
export const fits = ({ login, password, challenge }: Omit<LoginRequest, "unread">): boolean =>
  ![login, password, challenge].some((field) => field.includes("\0")) &&
  login.length + password.length + challenge.length + 3 <= LOGIN_LIMIT;

/** Undefined if it is invalid: the sender is not trusted. */
export function decodeLogin(packet: string): LoginRequest | undefined {
  const fields = nulFields(packet) ?? [];
  const [id = "", login = "", password = "", challenge = "", address = "", port = "", rest = ""] = fields;
  const unread = toBytes(rest);
  if (fields.length !== 7 || !NUMBER.test(id) || !NAME.test(address) || !PORT.test(port) || !unread) {
    return undefined;
  }
  const request = { id: Number(id), login, password, challenge, address, port, unread };
  return fits(request) && unread.length <= UNREAD_LIMIT ? request : undefined;
}

export const encodeAnswer = (id: number, answer: Answer): string => nulEnded([id, answer]);

export function decodeAnswer(packet: string): { readonly id: number; readonly answer: Answer } | undefined {
  const [id = "", word] = nulFields(packet) ?? [];
  const answer = ANSWERS.find((each) => each === word);
  return answer && NUMBER.test(id) ? { id: Number(id), answer } : undefined;
}

export function encodeSession({ id, uid, gid, user, home, unread }: Session): string {
  return nulEnded([id, uid, gid, user, home, toText(unread)]);
}

export function decodeSession(packet: string): Session | undefined {
  const [id, uid, gid, user, home, rest] = nulFields(packet) ?? [];
  if (user === undefined || home === undefined || rest === undefined) return undefined;
  const unread = toBytes(rest) ?? Buffer.alloc(0);
  return { id: Number(id), uid: Number(uid), gid: Number(gid), user, home, unread };
}

/** The sessions that a worker has ended. */
export const encodeOver = (ids: readonly number[]): string => nulEnded([...ids]);

/** Undefined if it is invalid. */
export function decodeOver(packet: string): number[] | undefined {
  const ids = nulFields(packet);
  return ids?.every((id) => NUMBER.test(id)) ? ids.map(Number) : undefined;
}
