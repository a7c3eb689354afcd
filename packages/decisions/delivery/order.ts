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

/** The usage of qmail-local. */
export const USAGE = "qmail-local [ -nN ] user homedir local dash ext domain sender aliasempty";

/** The number of operands. */
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

/** The operands in the order of the command line. */
export function toOperands(order: Order): string[] {
  const { user, home, local, dash, ext, host, sender, defaultDelivery } = order;
  return [user, home, local, dash, ext, host, sender, defaultDelivery];
}
