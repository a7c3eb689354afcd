import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { bestName, type CertificateFiles, parseCertificates } from "@qmail-mysql/certificates";
import { ControlError } from "@qmail-mysql/control";
import { entries } from "@qmail-mysql/routing-controls";
import { reason } from "@qmail-mysql/trouble";
import type { Identity } from "../edge/effective-ids.ts";
import { bytesOf, exists, statIfPresent } from "../edge/files.ts";
import { unopenable } from "../edge/path-access.ts";
import { word } from "../output/shell.ts";
import { lineFix } from "./line-fix.ts";
import type { Problem } from "./rows/problem.ts";

const DAY = 86_400_000; // milliseconds
const SOON = 14; // days
const NO_START = "tcpserver-sql -w does not start";
const RENEW = "renew it, and send SIGHUP to tcpserver-sql";

/** Checks the TLS certificates that tcpserver-sql gives to its workers, which run as `smtpd`. */
export function* checkCertificates(home: string, smtpd: Identity | undefined): Generator<Problem> {
  const control = `${home}/control/tlscerts`;
  const listed = exists(control);
  if (!listed && !exists(`${home}/control/servercert.pem`)) return;
  let all: readonly CertificateFiles[];
  try {
    all = parseCertificates(listed ? bytesOf(control) : ":control/servercert.pem", control, home);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    const { message } = error;
    const fix = lineFix(control, message, "tcpserver-sql(8)");
    yield { what: control, problem: `${message.replace(`${control} `, "")}: ${NO_START}`, fix };
    return;
  }
  if (all.length === 0) {
    yield { what: control, problem: `names no certificate: ${NO_START}`, fix: `rm ${word(control)}` };
  }
  const chains = new Map<string, X509Certificate>();
  for (const files of all) {
    const certificate = yield* read(files.chain, (text) => new X509Certificate(text));
    const key = yield* read(files.key, (text) => createPrivateKey({ key: text, passphrase: "" }));
    if (certificate) {
      chains.set(files.name, certificate);
      yield* flaws(files, certificate, key, Date.now());
    }
    yield* checkKeyMode(files.key, smtpd);
  }
  const greeting = [...(entries(`${home}/control/smtpgreeting`) ?? entries(`${home}/control/me`) ?? [])][0];
  const host = greeting?.split(" ", 1)[0]?.toLowerCase();
  const name =
    host === undefined ? undefined : bestName(host, (each) => all.some((one) => one.name === each));
  const used = name === "" ? chains.get(name) : undefined;
  if (host === undefined || used === undefined || used.checkHost(host) !== undefined) return;
  const what = all.find((one) => one.name === "")?.chain ?? control;
  yield {
    what,
    problem: `is not for ${host}, the name of this host in SMTP`,
    fix: `a certificate for ${host}`,
  };
}

/** The flaws of a certificate with its key, at a time in milliseconds. */
export function* flaws(
  { name, chain, key: keyFile }: CertificateFiles,
  certificate: X509Certificate,
  key: KeyObject | undefined,
  now: number,
): Generator<Problem> {
  const days = Math.floor((Date.parse(certificate.validTo) - now) / DAY);
  if (days < 0) yield { what: chain, problem: `expired at ${certificate.validTo}`, fix: RENEW };
  else if (days < SOON) yield { what: chain, problem: `expires at ${certificate.validTo}`, fix: RENEW };
  if (Date.parse(certificate.validFrom) > now) {
    yield { what: chain, problem: `is not valid before ${certificate.validFrom}`, fix: "check the clock" };
  }
  if (name !== "" && certificate.checkHost(name.replace(/^\*/, "x")) === undefined) {
    yield {
      what: chain,
      problem: `is not for ${name}`,
      fix: `a certificate for ${name}, or another name in control/tlscerts`,
    };
  }
  if (key && !certificate.checkPrivateKey(key)) {
    yield {
      what: keyFile,
      problem: `is not the key of ${chain}: no client can use TLS`,
      fix: `the key of ${chain}`,
    };
  }
}

function* read<T>(file: string, use: (text: string) => T): Generator<Problem, T | undefined> {
  const fix = "a certificate with its chain and its key in PEM, without a passphrase";
  let text: string;
  try {
    text = bytesOf(file);
  } catch (error) {
    yield { what: file, problem: `${reason(error)}: ${NO_START}`, fix };
    return undefined;
  }
  try {
    return use(text);
  } catch {
    yield { what: file, problem: "is not PEM, or has a passphrase: no client can use TLS", fix };
    return undefined;
  }
}

function* checkKeyMode(file: string, smtpd: Identity | undefined): Generator<Problem> {
  const stat = statIfPresent(file);
  if (!stat) return;
  const isOpen =
    (stat.mode & 0o044) !== 0 && smtpd !== undefined && unopenable(file, smtpd, "r").problem === undefined;
  const isTheirs = smtpd?.uid === stat.uid;
  if (stat.mode & 0o004) {
    yield {
      what: file,
      problem: "is a key that everybody on this host can read",
      fix: `chmod 600 ${word(file)}`,
    };
  } else if (isOpen || isTheirs) {
    const problem = "is a key that qmaild can read, as which qmail-smtpd runs: only root needs to";
    yield { what: file, problem, fix: `chown root ${word(file)}; chmod 600 ${word(file)}` };
  }
  if (stat.mode & 0o022) {
    yield { what: file, problem: "can be written by others than its owner", fix: `chmod go-w ${word(file)}` };
  }
}
