import { OPERANDS, type Order, toOrder } from "@qmail-mysql/delivery";

/** The parsed command line of qmail-local. */
export interface Asked {
  /** -n: print what would be done. */
  readonly dry: boolean;
  readonly order: Order;
}

/** Returns the order; {illegal} with the unknown option letter; undefined for any other misuse. */
export function parseOperands(args: readonly string[]): Asked | { readonly illegal: string } | undefined {
  let dry = false;
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg.startsWith("--")) {
      at++;
      break;
    }
    if (!arg.startsWith("-") || arg === "-") break;
    const illegal = /^-[nN]*([^nN])/.exec(arg)?.[1];
    if (illegal !== undefined) return { illegal };
    dry = arg.endsWith("n"); // the last letter is used
  }
  const operands = args.slice(at);
  if (operands.length !== OPERANDS) return undefined;
  return { dry, order: toOrder(operands) };
}
