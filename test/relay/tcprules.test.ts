import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cdbReader, cdbWriter } from "@qmail-mysql/cdb";
import { compileRules, RuleError } from "@qmail-mysql/tcprules";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const TCPRULES = "/usr/bin/tcprules";
let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "tcprules-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** The file, or the last line of the error output. */
function theirs(source: string): string {
  const done = spawnSync(TCPRULES, [join(dir, "cdb"), join(dir, "tmp")], {
    input: Buffer.from(source, "latin1"),
  });
  if (done.status === 0) return readFileSync(join(dir, "cdb"), "latin1");
  return `${done.status} ${done.stderr.toString("latin1")}`;
}

function ours(source: string): string {
  const chunks: Buffer[] = [];
  const writer = cdbWriter((chunk) => chunks.push(Buffer.from(chunk)));
  try {
    compileRules(source, writer);
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return `100 tcprules: fatal: unable to parse this line: ${error.message}\n`;
  }
  const header = writer.finish();
  const file = Buffer.concat(chunks);
  file.set(header);
  return file.toString("latin1");
}

describe("rules are compiled byte for byte as /usr/bin/tcprules does", () => {
  test.each([
    'a:allow,RELAYCLIENT=""',
    "",
    "\n\n# comment\nno colon\n",
    ":allow",
    '1.2.3.37-39:allow,X="a b",Y=/c/\n1.2.3.38:deny\n',
    "10.2-3.:deny\n-5.:allow\n1.2.3.250-300:allow\n5-3:allow\n",
    "1.2.3.007-009:allow\n1-:allow\n-:allow\n1.2-3.4-5:deny\n",
    'info@1.2-3:allow\n=Host-1.Example.com:deny,X="y"\nINFO@=x-y:allow\n',
    "a-b:allow\n",
    "1.2-3x:allow\n",
    "1-18446744073709551617:allow\n",
    "18446744073709551615-1:allow\n",
    "18446744073709551617-3:allow\n",
    "99999999999999999999999-3:allow\n",
    "1\0x-3:allow\n",
    "1-3\0x:allow\n",
    "1.\0-2:allow\n",
    "1x\0-3:allow\n",
    "1:allow \t \n2:deny\t\n 3:allow\n",
    "1:allow\r\n",
    "1:allowed\n",
    "1: allow\n",
    "1:allow, X=' '\n",
    "1:allow,=''\n",
    "1:allow,X=\n",
    "1:allow,X='\n",
    "1:allow,X='a'b\n",
    "1:allow,\n",
    "1:allow,X='a',\n",
    "1:deny,X=''',Y=''\n",
    "1:allow,X=aa,Y=bcb\n",
    "1:allow,A,B=''\n",
    "1:allow,X=''\0,Y=''\n",
    "\xff\xfe:allow,X=\xe9a b\xe9\n",
    " #:allow\n#:deny\n",
    "1:2:allow\n",
    "fe80::1:allow\n",
    ": allow\n:deny",
  ])("%j", (source) => {
    expect(ours(source)).toEqual(theirs(source));
  });

  test("400 generated sources", () => {
    const random = generator(1);
    const failures: unknown[] = [];
    for (let n = 0; n < 400; n++) {
      const source = randomSource(random);
      const [mine, reference] = [ours(source), theirs(source)];
      if (mine !== reference) failures.push([source, mine.slice(-200), reference.slice(-200)]);
    }
    expect(failures).toEqual([]);
  });
});

test("tcprulescheck finds in our file what our reader finds", () => {
  const file = ours('1.2.3.4:allow,RELAYCLIENT=""\n1.2.3.:deny\n:allow,X="y"\n');
  writeFileSync(join(dir, "ours"), file, "latin1");
  const check = (ip: string) =>
    execFileSync("/usr/bin/tcprulescheck", [join(dir, "ours")], { env: { TCPREMOTEIP: ip } }).toString();
  expect(check("1.2.3.4")).toBe("rule 1.2.3.4:\nset environment variable RELAYCLIENT=\nallow connection\n");
  expect(check("1.2.3.5")).toBe("rule 1.2.3.:\ndeny connection\n");
  expect(check("9.9.9.9")).toBe("rule :\nset environment variable X=y\nallow connection\n");
  const reader = cdbReader((at, length) => Buffer.from(file.slice(at, at + length), "latin1"), file.length);
  expect(Buffer.from(reader.get("1.2.3.4") ?? []).toString()).toBe("+RELAYCLIENT=\0");
});

/** Numbers from 0 to below `n`, the same ones every time (a linear congruence of Knuth's). */
function generator(seed: number): (n: number) => number {
  let state = BigInt(seed);
  return (n) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    return Number((state >> 33n) % BigInt(n));
  };
}

function randomSource(random: (n: number) => number): string {
  const pick = <T>(of: readonly T[]): T => of[random(of.length)] as T;
  const part = () => pick(["1", "10", "255", "0", "007", "1-3", "250-999", "3-1", "-2", "7-", "", "x", "1 "]);
  const address = () =>
    pick([
      () => `${part()}.${part()}.${part()}.${part()}`,
      () => `${part()}.${part()}.`,
      () => part(),
      () => `=${pick(["Host.Example.com", ".example.com", "", "a-b"])}`,
      () => `${pick(["joe", "J-O", ""])}@${part()}`,
      () => pick(["", "#", "::1", "\xff", "\t"]),
    ])();
  const variable = () =>
    `${pick([",", ",", ",", ", ", ""])}${pick(["RELAYCLIENT", "RBLSMTPD", "X", "", "a b"])}${pick(["=", "=", "=", ""])}${pick(['""', '"x y"', "/a/", "''", "zz", '"', "", "'a:b'", "\x01=\x01"])}`;
  const line = () =>
    `${pick(["", "", "", "", "#", " "])}${address()}${pick([":", ":", ":", ":", "", " :"])}${pick(["allow", "deny", "allow", "deny", "ALLOW", ""])}${pick(["", variable(), variable() + variable()])}${pick(["", "", "", " ", "\t", "\r"])}`;
  return Array.from({ length: 1 + random(4) }, line).join("\n") + pick(["", "\n", "\n\n"]);
}
