import { errorOf } from "@qmail-mysql/trouble";

/** An error with the name of this errno number. */
export function errnoError(number: number): Error & { code: string } {
  const { errno } = process.getBuiltinModule("node:os").constants;
  return errorOf(Object.entries(errno).find(([, value]) => value === number)?.[0] ?? `E${number}`);
}
