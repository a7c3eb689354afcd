import { isBun } from "@qmail-mysql/native";
import { calledAs } from "./args.ts";

/** File, arguments and argv[0] to start this executable again under the same name. */
export function self(args: readonly string[]): { file: string; args: string[]; argv0: string } {
  const script = isBun() ? [] : [process.argv[1] ?? ""];
  return { file: process.execPath, args: [...script, ...args], argv0: calledAs() };
}
