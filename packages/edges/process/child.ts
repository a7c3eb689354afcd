import type { SpawnSyncReturns } from "node:child_process";
import { childProcess } from "@qmail-mysql/native";
import { errno } from "@qmail-mysql/trouble";
import { fromText, toText } from "@qmail-mysql/wire";
import { environment } from "./environment.ts";

/** A child to run to its end. All strings are byte strings. */
export interface Child {
  /** The program's path comes first. */
  readonly argv: readonly string[];
  /** Added to our own environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Its descriptors from 0 on; "none" is closed, or open on nothing. */
  readonly stdio: readonly (number | "none")[];
  readonly cwd?: string;
  /** Milliseconds after which it is killed. */
  readonly limit: number;
}

/** How a child ended: its exit code, or undefined when it was killed. */
export interface ChildEnd {
  readonly pid: number;
  readonly code: number | undefined;
  /** Its time was over. */
  readonly late: boolean;
}

/**
 * Runs a program and waits for it. It has the descriptors named and no other, its signals at their defaults and
 * an environment exact to the byte. Throws an error with an errno when it cannot be started.
 */
export function runChild({ argv, env, stdio, cwd, limit }: Child): ChildEnd {
  const texts = argv.map(toText);
  const inherited = Object.entries(process.env).filter(
    ([name, value]) => value?.includes("\ufffd") && !(name in env),
  );
  const added = Object.entries(env).filter(([, value]) => toText(value) === undefined);
  const options = {
    stdio: stdio.map((fd) => (fd === "none" ? "ignore" : fd)),
    env: { ...process.env, ...asText(env) },
    ...(cwd !== undefined && { cwd }),
    timeout: limit,
    killSignal: "SIGKILL",
  } as const;
  const exact = inherited.length === 0 && added.length === 0 && !texts.includes(undefined);
  const [file = "", ...args] = exact ? (texts as string[]) : bytesByShell(argv, inherited, added);
  const result: SpawnSyncReturns<Buffer> = childProcess().spawnSync(file, args, {
    ...options,
    stdio: [...options.stdio],
  });
  const late = errno(result.error) === "ETIMEDOUT";
  if (result.error && !late) throw result.error;
  return { pid: result.pid, code: result.status ?? undefined, late };
}

type Variables = readonly (readonly [name: string, value: string | undefined])[];

/**
 * The runtimes pass on nothing but UTF-8. What is not goes as ASCII to a shell, which makes the bytes of it and
 * then becomes the program.
 */
function bytesByShell(argv: readonly string[], inherited: Variables, added: Variables): string[] {
  const own = inherited.length === 0 ? new Map<string, string>() : new Map(environment().map(atEquals));
  const set = [...inherited.map(([name]) => [name, own.get(name)] as const), ...added];
  const script = [
    ...set.map(([name, value = ""]) => `${bytes(value)}; export ${name}="\${_%x}"`),
    ...argv.map((arg) => `${bytes(arg)}; set -- "$@" "\${_%x}"`),
    'exec "$@"',
  ];
  return ["/bin/sh", "-c", script.join("\n")];
}

function atEquals(entry: string): [name: string, value: string] {
  const at = entry.indexOf("=");
  return [entry.slice(0, at), entry.slice(at + 1)];
}

/** Into $_, which no shell keeps for anybody: the bytes, and an x, for a line end last would be cut off. */
function bytes(value: string): string {
  const octal = Array.from(`${value}x`, (c) => `\\0${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
  return `_=$(printf %b '${octal.join("")}')`;
}

function asText(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [fromText(name), toText(value) ?? ""]),
  );
}
