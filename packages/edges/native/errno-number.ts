import { errorOf } from "@qmail-mysql/trouble";

/**
 * Those that a run without trouble meets, by Linux's numbers (asm-generic/errno-base.h), because node:os costs a short
 * program 0.4 million instructions (bench/PROFILE.md).
 */
const USUAL: Readonly<Record<number, string>> = {
  2: "ENOENT",
  4: "EINTR",
  9: "EBADF",
  11: "EAGAIN",
  13: "EACCES",
  20: "ENOTDIR",
};

/** An error with the name of this errno number. */
export function errnoError(number: number): Error & { code: string } {
  return errorOf(errnoName(number));
}

/** The name of this errno number. */
export function errnoName(number: number): string {
  return USUAL[number] ?? rareName(number);
}

function rareName(number: number): string {
  const { errno } = process.getBuiltinModule("node:os").constants;
  return Object.entries(errno).find(([, value]) => value === number)?.[0] ?? `E${number}`;
}
