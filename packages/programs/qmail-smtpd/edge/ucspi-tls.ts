import { cString, type Native, readWithin } from "@qmail-mysql/native";
import type { Environment, Ports } from "@qmail-mysql/smtp";
import { byteString } from "@qmail-mysql/wire";
import type { ClientFds } from "./blocking.ts";

const START = "Y"; // with an answer that holds variables
const MAX_ANSWER = 65536; // bytes
const F_SETFD = 2; // fcntl.h
const FD_CLOEXEC = 1;

/** The descriptors that a TLS server in front has given: ucspi-tls(2). Undefined if there is none. */
export function ucspiTls({ get }: Environment): { control: number; tls: ClientFds } | undefined {
  const [control, input, output] = ["SSLCTLFD", "SSLREADFD", "SSLWRITEFD"].map((name) => {
    const value = get(name) ?? "";
    return /^[0-9]{1,9}$/.test(value) ? Number(value) : undefined;
  });
  if (control === undefined || input === undefined || output === undefined) return undefined;
  return { control, tls: { input, output } };
}

/** Makes the TLS server begin TLS; `fds` are then those of the encrypted connection. */
export function startTlsBy(
  c: Native,
  { control, tls }: { readonly control: number; readonly tls: ClientFds },
  fds: ClientFds,
): NonNullable<Ports["startTls"]> {
  for (const fd of [control, tls.input, tls.output]) c.raw("fcntl", fd, F_SETFD, FD_CLOEXEC);
  return (reply, ms) => {
    if (c.raw("write", fds.output, cString(reply), reply.length) !== reply.length) return undefined;
    if (c.raw("write", control, cString(START), 1) !== 1) return undefined;
    const answer = readAnswer(c, control, ms);
    if (answer === undefined) return undefined;
    Object.assign(fds, tls);
    return {
      protocol: answer.get("SSL_PROTOCOL") ?? "",
      cipher: answer.get("SSL_CIPHER") ?? "",
      serverName: answer.get("SSL_TLS_SNI_SERVERNAME") ?? "",
    };
  };
}

/** NAME=value, each ended by NUL, and another NUL; a name alone is to be unset. Undefined if there is no answer. */
function readAnswer(c: Native, fd: number, ms: number): ReadonlyMap<string, string | undefined> | undefined {
  let text = "";
  const piece = new Uint8Array(4096);
  try {
    while (text !== "\0" && !text.endsWith("\0\0") && text.length < MAX_ANSWER) {
      const n = readWithin(c, fd, piece, ms);
      if (n === 0) break;
      text += byteString(piece, n);
    }
  } catch {
    return undefined;
  }
  if (text === "") return undefined; // the handshake failed
  const entries = text.split("\0").filter((entry) => entry !== "");
  return new Map(
    entries.map((entry) => {
      const equals = entry.indexOf("=");
      return equals < 0 ? [entry, undefined] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}
