import { readFileSync } from "node:fs";
import { parseCertificates } from "@qmail-mysql/certificates";
import { hasControl, qmailHome, readControlFile } from "@qmail-mysql/control-files";
import { encodeCertificate } from "@qmail-mysql/handover";
import { type Descriptors, openDescriptors } from "@qmail-mysql/native";
import { pause } from "@qmail-mysql/process";
import { OK, reason, Trouble } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";
import { FAILED } from "./certificates.ts";

const REQUESTS = 0; // the descriptor, on which it also answers
const FILE_LIMIT = 45_000; // bytes of a file, so that chain and key are less than a packet
const PAUSE = 5; // milliseconds between attempts to write to a full socket
const PATIENCE = 5000; // milliseconds

/**
 * `tcpserver-sql --keys`: a process that keeps the uid with which tcpserver-sql was started, and only reads the
 * certificates and keys of control/tlscerts, whenever asked to. It ends with tcpserver-sql.
 */
export function openKeys(): number {
  const descriptors = openDescriptors();
  const request = Buffer.alloc(16);
  while (descriptors.receive(REQUESTS, request)) {
    let packets: readonly string[];
    try {
      packets = certificates(qmailHome());
    } catch (error) {
      packets = [`${FAILED}${reason(error)}`];
    }
    for (const packet of packets) send(descriptors, toBuffer(packet));
  }
  return OK;
}

function certificates(home: string): string[] {
  const control = `${home}/control/tlscerts`;
  const found = hasControl(home, "tlscerts")
    ? readControlFile(control, (text, file) => parseCertificates(text, file, home))
    : parseCertificates(":control/servercert.pem", control, home);
  if (found.length === 0) throw new Trouble(`unable to use ${control}: it names no certificate`);
  return found.map(({ name, chain, key }, i) =>
    encodeCertificate({ name, chain: contents(chain), key: contents(key) }, i === found.length - 1),
  );
}

function contents(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "latin1");
  } catch (error) {
    throw new Trouble(`unable to read ${file}: ${reason(error)}`);
  }
  if (text.length > FILE_LIMIT) throw new Trouble(`unable to use ${file}: more than ${FILE_LIMIT} bytes`);
  return text;
}

function send(descriptors: Descriptors, packet: Buffer): void {
  for (const end = performance.now() + PATIENCE; performance.now() < end; pause(PAUSE)) {
    if (descriptors.send(REQUESTS, packet, [])) return;
  }
}
