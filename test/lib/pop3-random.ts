import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRoot } from "./world.ts";

type Random = (below: number) => number;

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)] as T;
const LINES = ["", ".", "..", ".x", "body", "Subject: x", "a\r", "\0\xff", "x".repeat(300), " "];
const FLAGS = ["", "", ":2,", ":2,S", ":2,RS", ":1,x"];

/** Files of a Maildir, by path, each a second older than the next. */
export function randomFiles(random: Random): readonly (readonly [string, string])[] {
  return Array.from({ length: random(9) }, (_, i) => {
    const lines = Array.from({ length: random(8) }, () => pick(random, LINES));
    const text = lines.join("\n") + (random(3) === 0 ? "" : "\n");
    const isNew = random(2) === 0;
    const large = random(40) === 0 ? "0123456789\n".repeat(9000) : "";
    return [
      `${isNew ? "new" : "cur"}/${100 + i}.${random(9)}.host${pick(random, FLAGS)}`,
      text + large,
    ] as const;
  });
}

const VERBS = "STAT LIST LIST UIDL UIDL RETR RETR RETR TOP TOP DELE DELE DELE LAST RSET NOOP XTND USER".split(
  " ",
);

/** What a client sends in the TRANSACTION state. */
export function randomCommands(random: Random): string {
  const argument = () =>
    pick(random, ["", " ", " 0", " x", " -1", ` ${random(9)}`, ` ${random(9)}`, ` ${1 + random(4)}`]);
  const lines = Array.from({ length: random(14) }, () => {
    const verb = pick(random, VERBS);
    const rest = verb === "TOP" ? `${argument()}${argument()}` : argument();
    return (random(5) === 0 ? verb.toLowerCase() : verb) + rest;
  });
  if (random(3) > 0) lines.push("QUIT");
  if (random(8) === 0) lines.push("NOOP", "STAT");
  const end = random(4) === 0 ? "\n" : "\r\n";
  return lines.map((line) => line + end).join("");
}

/** Replaces what is in a Maildir. */
export function fill(
  maildir: string,
  files: readonly (readonly [string, string])[],
  uid: number,
  gid: number,
): void {
  for (const dir of ["new", "cur"]) {
    rmSync(join(maildir, dir), { recursive: true, force: true });
    mkdirSync(join(maildir, dir), { mode: 0o700 });
    if (isRoot) chownSync(join(maildir, dir), uid, gid);
  }
  files.forEach(([name, text], i) => {
    const file = join(maildir, name);
    writeFileSync(file, text, "latin1");
    if (isRoot) chownSync(file, uid, gid);
    utimesSync(file, 1_500_000_000 + i, 1_500_000_000 + i);
  });
}

/** The files of a Maildir and their contents. */
export const contents = (maildir: string): readonly string[] =>
  ["cur", "new"].flatMap((dir) =>
    readdirSync(join(maildir, dir))
      .sort()
      .map((name) => `${dir}/${name} ${readFileSync(join(maildir, dir, name), "latin1")}`),
  );

/** A certificate and its key in PEM, for a name. */
export function certificate(dir: string, name: string): string {
  const [chain, key] = [join(dir, "chain"), join(dir, "key")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  const files = ["-keyout", key, "-out", chain, "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...curve, ...files, ...subject], { stdio: "ignore" });
  return readFileSync(chain, "latin1") + readFileSync(key, "latin1");
}
