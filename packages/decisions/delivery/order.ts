/** The operands of qmail-local. */
export interface Order {
  readonly user: string;
  readonly home: string;
  readonly local: string;
  readonly dash: string;
  readonly ext: string;
  readonly host: string;
  readonly sender: string;
  /** The instructions for a user without a .qmail file. */
  readonly defaultDelivery: string;
}

/** How qmail-local is called, in its own words. */
export const USAGE = "qmail-local [ -nN ] user homedir local dash ext domain sender aliasempty";

/** How many operands there are. */
export const OPERANDS = 8;

export function toOrder(operands: readonly string[]): Order {
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
  return { user, home, local, dash, ext, host, sender, defaultDelivery };
}

/** In the order in which qmail-local takes them. */
export function toOperands(order: Order): string[] {
  const { user, home, local, dash, ext, host, sender, defaultDelivery } = order;
  return [user, home, local, dash, ext, host, sender, defaultDelivery];
}
