import type { SpawnSyncReturns } from "node:child_process";
import { childProcess } from "@qmail-mysql/native";
import { errno } from "@qmail-mysql/trouble";
import { fromText, toText } from "@qmail-mysql/wire";
import { environment } from "./environment.ts";

/** A child process. All strings are byte strings. */
export interface Child {
  /** The path of the program comes first. */
  readonly argv: readonly string[];
  /** Added to the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Its descriptors from 0 on; "none" is closed or /dev/null. */
  readonly stdio: readonly (number | "none")[];
  readonly cwd?: string;
  /** Milliseconds after which it is killed. */
  readonly limit: number;
  /** Runs it with SIGPIPE ignored. */
  readonly ignoreSigpipe?: boolean;
}

/** How a child ended: its exit code, undefined if it was killed by a signal. */
export interface ChildEnd {
  readonly pid: number;
  readonly code: number | undefined;
  /** It was killed because of its time limit. */
  readonly late: boolean;
}

/**
 * Runs a program and waits for it. It gets only the given descriptors, default signal actions and the exact bytes of the
 * environment. Throws an error with an errno if it cannot be started.
 */
export function runChild({ argv, env, stdio, cwd, limit, ignoreSigpipe = false }: Child): ChildEnd {
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
  const [file = "", ...args] =
    exact && !ignoreSigpipe ? (texts as string[]) : byShell(argv, inherited, added, ignoreSigpipe);
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
 * The runtimes pass on only UTF-8, and only default signal actions. So strings that are not UTF-8 are passed to a shell
 * encoded in ASCII, in arguments below the limit of the system; the shell decodes them and executes the program.
 */
function byShell(
  argv: readonly string[],
  inherited: Variables,
  added: Variables,
  ignoreSigpipe: boolean,
): string[] {
  const own = inherited.length === 0 ? new Map<string, string>() : new Map(environment().map(atEquals));
  const set = [...inherited.map(([name]) => [name, own.get(name)] as const), ...added];
  const script: string[] = ignoreSigpipe ? ["trap '' PIPE"] : [];
  const pieces: string[] = [];
  const decode = (value: string, then: string) => {
    const encoded = encode(value);
    const operands = encoded.map((_, i) => `"\${${i + 1}}"`).join(" ");
    pieces.push(...encoded);
    script.push(`_=$(printf %b ${operands}); shift ${encoded.length}; ${then}`);
  };
  for (const [name, value = ""] of set) decode(value, `export ${name}="\${_%x}"`);
  for (const arg of argv) decode(arg, `set -- "$@" "\${_%x}"`);
  script.push('exec "$@"');
  return ["/bin/sh", "-c", script.join("\n"), "sh", ...pieces];
}

function atEquals(entry: string): [name: string, value: string] {
  const at = entry.indexOf("=");
  return [entry.slice(0, at), entry.slice(at + 1)];
}

const PIECE = 100_000; // bytes; below MAX_ARG_STRLEN of Linux, 131,072

/**
 * The value, and an x because $() removes line ends, as operands of printf %b. The result is stored in $_, which shells
 * do not export.
 */
function encode(value: string): string[] {
  const octal = (c: string) => `\\0${c.charCodeAt(0).toString(8).padStart(3, "0")}`;
  const units = `${value}x`.match(/[ -[\]-~]{1,50000}|[^ -[\]-~]/g) ?? [];
  const pieces = [""];
  for (const unit of units) {
    const text = /^[ -[\]-~]/.test(unit) ? unit : octal(unit);
    if ((pieces.at(-1) ?? "").length + text.length > PIECE) pieces.push("");
    pieces[pieces.length - 1] += text;
  }
  return pieces;
}

function asText(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [fromText(name), toText(value) ?? ""]),
  );
}
