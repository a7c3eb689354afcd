import { bun } from "@qmail-mysql/native";

/**
 * Called by resident programs: resets the threshold at which the runtime compiles code. The executable is built for
 * programs that end before compiling is worthwhile (scripts/bundle.js).
 */
export function resident(): void {
  bun<{ readonly unsafe?: { setJITPolicy?(scale: number): void } }>()?.unsafe?.setJITPolicy?.(1);
}
