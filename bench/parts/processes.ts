// Whole processes compared with equivalent C programs: milliseconds, measured by hyperfine, and memory.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BIN } from "../../test/lib/program.ts";
import { isRoot } from "../../test/lib/world.ts";
import { TOOLS } from "../lib/load.ts";
import { type Command, memory, times } from "../lib/measure.ts";
import { emit, say } from "../lib/results.ts";
import { CRYPTED, isBuilt, PASSWORD, PLAIN, type Site, sites, startMail } from "../lib/worlds.ts";

const FD3 = join(TOOLS, "fd3");

interface Case {
  readonly program: string;
  readonly what: string;
  readonly user: string;
  /** checkpassword's input is on descriptor 3, and it ends in a program that does nothing. */
  readonly fd3: boolean;
}

const CASES: readonly Case[] = [
  { program: "qmail-getpw", what: "a mailbox", user: PLAIN, fd3: false },
  { program: "qmail-getpw", what: "with extension", user: `${PLAIN}-ext`, fd3: false },
  { program: "checkpassword", what: "plain", user: PLAIN, fd3: true },
  { program: "checkpassword", what: "$6$", user: CRYPTED, fd3: true },
];

const spool = mkdtempSync(join(tmpdir(), "bench-"));
const mail = await startMail();
try {
  const all = sites(mail);
  for (const aCase of CASES) {
    const why = notMeasurable(aCase);
    if (why) process.stderr.write(`bench: ${aCase.program}, ${aCase.what}: not measured: ${why}\n`);
    else for (const site of all) measure(aCase, site);
  }
  const empty = [join(TOOLS, "empty")];
  const [ms = 0] = times([empty], {});
  say(`${"empty program, same runtime".padEnd(66)} ${ms.toFixed(2)} ms`);
  emit({ program: "empty", ours: ms, oursMB: memory(empty, {}) });
} finally {
  rmSync(spool, { recursive: true });
  await mail.stop();
}

function notMeasurable({ program, fd3 }: Case): string | undefined {
  if (!isBuilt(program)) return "it is not built";
  return fd3 && !isRoot ? "it needs root, to become somebody else" : undefined;
}

function measure(aCase: Case, { name, twin, bar, world }: Site): void {
  const theirs = command(aCase, join(TOOLS, `${aCase.program.replace("qmail-", "")}-${twin}`), [FD3]);
  const ours = command(aCase, join(BIN, aCase.program), [FD3]);
  const witness = ["/bin/sh", "-c", "id -u; id -G; pwd; echo $USER $HOME"];
  same(command(aCase, theirs.program, witness).words, command(aCase, ours.program, witness).words, world.env);
  // The starter that opens descriptor 3 is not part of the program: its time is subtracted.
  const [c = 0, o = 0, started = 0, idle = 0] = times(
    [theirs.words, ours.words, ...(aCase.fd3 ? [[FD3, "/dev/null", FD3], [FD3]] : [])],
    world.env,
  );
  const [cMs, oursMs] = [c - (started - idle), o - (started - idle)];
  const figures = { c: cMs, ours: oursMs, cMB: memory(theirs.words, world.env) };
  emit({
    program: aCase.program,
    what: aCase.what,
    name,
    bar,
    ...figures,
    oursMB: memory(ours.words, world.env),
  });
  const times3 = `C ${cMs.toFixed(2)} ms  ours ${oursMs.toFixed(2)} ms  ratio ${(oursMs / cMs).toFixed(1)}`;
  say(`${aCase.program.padEnd(14)} ${aCase.what.padEnd(15)} ${name.padEnd(21)} ${times3}`);
}

function command({ user, fd3 }: Case, program: string, next: Command): { program: string; words: string[] } {
  if (!fd3) return { program, words: [program, user] };
  const input = join(spool, user);
  writeFileSync(input, `${user}\0${PASSWORD}\0\0`);
  return { program, words: [FD3, input, program, ...next] };
}

/** Verifies that the programs give the same result; otherwise their speed cannot be compared. */
function same(theirs: Command, ours: Command, env: Readonly<Record<string, string>>): void {
  const [a, b] = [theirs, ours].map(([program = "", ...args]) => {
    const { status, stdout, stderr } = spawnSync(program, args, { env, encoding: "latin1" });
    return { status, stdout, stderr };
  });
  if (a?.status !== 0 || a.stdout === "" || b?.status !== 0 || a.stdout !== b.stdout) {
    throw new Error(`the programs differ: ${JSON.stringify([theirs, a, ours, b])}`);
  }
}
