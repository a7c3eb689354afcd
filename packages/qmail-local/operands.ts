import type { Order } from "@qmail-mysql/delivery";

/** What argv asks of qmail-local. */
export interface Asked {
  /** -n: say what would be done. */
  readonly dry: boolean;
  readonly order: Order;
}

const OPERANDS = 8;

/** qmail-local [-nN] [--] and eight operands; the option that is none; undefined when it is anything else. */
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
    dry = arg.endsWith("n"); // the last one counts
  }
  const operands = args.slice(at);
  if (operands.length !== OPERANDS) return undefined;
  const [
    user = "",
    home = "",
    local = "",
    dash = "",
    ext = "",
    host = "",
    sender = "",
    defaultDelivery = "",
  ] = operands;
  if (!home.startsWith("/")) return undefined;
  return { dry, order: { user, home, local, dash, ext, host, sender, defaultDelivery } };
}
