/** The interface of Bun, as far as the caller declares it; undefined under Node. */
export function bun<Api>(): Api | undefined {
  return (globalThis as { readonly Bun?: Api }).Bun;
}

export const isBun = (): boolean => bun() !== undefined;
