import { isBun } from "@qmail-mysql/native";
import { calledAs } from "./args.ts";

/** How to start this same executable again, under the same name: file, arguments and argv[0] for spawn. */
export function self(args: readonly string[]): { file: string; args: string[]; argv0: string } {
  const script = isBun() ? [] : [process.argv[1] ?? ""];
  return { file: process.execPath, args: [...script, ...args], argv0: calledAs() };
}
