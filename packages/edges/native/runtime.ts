/** The runtime's own interface, the part that a module declares; undefined under Node. */
export function bun<Api>(): Api | undefined {
  return (globalThis as { readonly Bun?: Api }).Bun;
}

export const isBun = (): boolean => bun() !== undefined;
