import { bun } from "@qmail-mysql/native";

/**
 * Says that this program stays: its code is compiled as early as the runtime sees fit. The executable is built
 * for programs that end before compiled code pays (scripts/bundle.js).
 */
export function resident(): void {
  bun<{ readonly unsafe?: { setJITPolicy?(scale: number): void } }>()?.unsafe?.setJITPolicy?.(1);
}
