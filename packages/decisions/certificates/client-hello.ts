import { lower } from "@qmail-mysql/wire";

// RFC 8446, sections 4.1.2 and 5.1, and RFC 6066, section 3; the same in TLS 1.2.
const HANDSHAKE = 22;
const RECORD_HEADER = 5;
const CLIENT_HELLO = 1;
const MESSAGE_HEADER = 4;
const VERSION_AND_RANDOM = 34;
const SERVER_NAME = 0;
const HOST_NAME = 0;

/** Bytes after which a ClientHello has to be complete. */
export const HELLO_LIMIT = 32_768;

/**
 * The name of the server that a TLS client wants, lower-case, from the first bytes that it sent. "" if it names none or
 * this is no ClientHello; undefined if more bytes are needed.
 */
export function serverName(bytes: Uint8Array): string | undefined {
  const hello = firstMessage(bytes);
  if (hello === undefined || typeof hello === "string") return hello;
  const at = reader(hello);
  at.skip(VERSION_AND_RANDOM);
  at.skip(at.number(1)); // session id
  at.skip(at.number(2)); // cipher suites
  at.skip(at.number(1)); // compression methods
  for (const extensions = at.part(at.number(2)); extensions.left() > 0; ) {
    const type = extensions.number(2);
    const extension = extensions.part(extensions.number(2));
    if (type !== SERVER_NAME) continue;
    for (const names = extension.part(extension.number(2)); names.left() > 0; ) {
      const nameType = names.number(1);
      const name = names.part(names.number(2)).rest();
      if (nameType === HOST_NAME) return lower(Buffer.from(name).toString("latin1"));
    }
  }
  return "";
}

/** The body of the first handshake message, from as many records as it takes. */
function firstMessage(bytes: Uint8Array): Uint8Array | "" | undefined {
  const message: number[] = [];
  for (let at = 0; ; ) {
    if ((bytes[at] ?? HANDSHAKE) !== HANDSHAKE) return "";
    if (bytes.length < at + RECORD_HEADER) return undefined;
    const length = ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0);
    const record = bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length);
    message.push(...record);
    if ((message[0] ?? CLIENT_HELLO) !== CLIENT_HELLO || length === 0) return "";
    const [, high = 0, middle = 0, low = 0] = message;
    const end = MESSAGE_HEADER + ((high << 16) | (middle << 8) | low);
    if (end > HELLO_LIMIT) return "";
    if (message.length >= MESSAGE_HEADER && message.length >= end) {
      return Uint8Array.from(message.slice(MESSAGE_HEADER, end));
    }
    if (record.length < length) return undefined;
    at += RECORD_HEADER + length;
  }
}

interface Reader {
  /** A big-endian number of `size` bytes. */
  number(size: number): number;
  skip(length: number): void;
  part(length: number): Reader;
  left(): number;
  rest(): Uint8Array;
}

/** Reads an incomplete structure as if it ended early. */
function reader(bytes: Uint8Array): Reader {
  let at = 0;
  return {
    number(size) {
      let value = 0;
      for (let i = 0; i < size; i++) value = (value << 8) | (bytes[at++] ?? 0);
      return value;
    },
    skip(length) {
      at += length;
    },
    part(length) {
      const part = bytes.subarray(at, at + length);
      at += length;
      return reader(part);
    },
    left: () => Math.max(bytes.length - at, 0),
    rest: () => bytes.subarray(at),
  };
}
