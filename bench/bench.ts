// What run.sh runs once everything is built: measures, prints a table, writes RESULTS.md.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startMariaDb } from "../test/lib/mariadb.ts";
import { isRoot } from "../test/lib/world.ts";
import { machine } from "./machine.ts";
import { type Command, memory, times } from "./measure.ts";
import { CRYPTED, isBuilt, PASSWORD, PLAIN, type Site, sites } from "./worlds.ts";

const MEMORY_BAR = 60; // MB
const OURS = join(import.meta.dirname, "../bin");
const THEIRS = join(import.meta.dirname, "../build/bench");
const FD3 = join(THEIRS, "fd3");

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
const server = await startMariaDb();
const all = sites(server);
try {
  const lines = [
    "| program | case | database | C ms | ours ms | ratio | bar | | C MB | ours MB | bar 60 MB |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
  ];
  for (const aCase of CASES) {
    const why = notMeasurable(aCase);
    if (why) process.stderr.write(`bench: ${aCase.program}, ${aCase.what}: not measured: ${why}\n`);
    else for (const site of all) lines.push(row(aCase, site));
  }
  const [empty = 0] = times([[join(THEIRS, "empty")]], {});
  lines.push(
    `| (empty program, same runtime) | | | | ${empty.toFixed(2)} | | | | | ${mb(memory([join(THEIRS, "empty")], {}))} | |`,
  );
  const table = lines.join("\n");
  process.stdout.write(`${table}\n`);
  writeFileSync(
    join(import.meta.dirname, "RESULTS.md"),
    `# Results of \`make bench\`\n\n${machine(server)}\n\nWhole processes, wall time: the median of the medians of interleaved rounds of hyperfine. 1,000 mailboxes.
The C twins (getpw.c, checkpassword.c) do the same with libmariadb and libsqlite3. PROFILE.md says where our
time goes.\n\n${table}\n`,
  );
} finally {
  for (const { world } of all) world.remove();
  rmSync(spool, { recursive: true });
  await server.stop();
}

function notMeasurable({ program, fd3 }: Case): string | undefined {
  if (!isBuilt(program)) return "it is not built";
  return fd3 && !isRoot ? "it needs root, to become somebody else" : undefined;
}

function row(aCase: Case, { name, twin, bar, world }: Site): string {
  const theirs = command(aCase, join(THEIRS, `${aCase.program.replace("qmail-", "")}-${twin}`), [FD3]);
  const ours = command(aCase, join(OURS, aCase.program), [FD3]);
  const witness = ["/bin/sh", "-c", "id -u; id -G; pwd; echo $USER $HOME"];
  same(command(aCase, theirs.program, witness).words, command(aCase, ours.program, witness).words, world.env);
  // The starter that opens descriptor 3 is no part of the program: what it takes alone is taken off.
  const [c = 0, o = 0, started = 0, idle = 0] = times(
    [theirs.words, ours.words, ...(aCase.fd3 ? [[FD3, "/dev/null", FD3], [FD3]] : [])],
    world.env,
  );
  const cMs = c - (started - idle);
  const oursMs = o - (started - idle);
  const ratio = oursMs / cMs;
  const [cMb, oursMb] = [memory(theirs.words, world.env), memory(ours.words, world.env)];
  const cells = [aCase.program, aCase.what, name, cMs.toFixed(2), oursMs.toFixed(2), ratio.toFixed(1)];
  const bars = [`${bar}`, verdict(ratio <= bar), mb(cMb), mb(oursMb), verdict(oursMb <= MEMORY_BAR)];
  return `| ${[...cells, ...bars].join(" | ")} |`;
}

function command({ user, fd3 }: Case, program: string, next: Command): { program: string; words: string[] } {
  if (!fd3) return { program, words: [program, user] };
  const input = join(spool, user);
  writeFileSync(input, `${user}\0${PASSWORD}\0\0`);
  return { program, words: [FD3, input, program, ...next] };
}

/** A comparison of speed means something only between programs that do the same. */
function same(theirs: Command, ours: Command, env: Readonly<Record<string, string>>): void {
  const [a, b] = [theirs, ours].map(([program = "", ...args]) => {
    const { status, stdout, stderr } = spawnSync(program, args, { env, encoding: "latin1" });
    return { status, stdout, stderr };
  });
  if (a?.status !== 0 || a.stdout === "" || b?.status !== 0 || a.stdout !== b.stdout) {
    throw new Error(`the programs differ: ${JSON.stringify([theirs, a, ours, b])}`);
  }
}

function verdict(met: boolean): string {
  return met ? "met" : "**missed**";
}

function mb(megabytes: number): string {
  return megabytes.toFixed(0);
}
