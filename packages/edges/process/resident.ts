declare const Bun: { readonly unsafe?: { setJITPolicy?(scale: number): void } } | undefined;

/**
 * Says that this program stays: its code is compiled as early as the runtime sees fit. The executable is built
 * for programs that end before compiled code pays (scripts/bundle.js).
 */
export function resident(): void {
  if (typeof Bun !== "undefined") Bun.unsafe?.setJITPolicy?.(1);
}
