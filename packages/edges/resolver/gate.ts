import { Trouble } from "@qmail-mysql/trouble";

/** Runs at most `most` pieces of work at a time; at most `waiting` more wait, in order. Throws Trouble beyond that. */
export function openGate(most: number, waiting: number): <T>(work: () => Promise<T>) => Promise<T> {
  const queue: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running < most) running++;
    else if (queue.length >= waiting) throw new Trouble("unable to look up names in DNS: too many lookups");
    else await new Promise<void>((resolve) => queue.push(resolve)); // inherits the place of the one that ends
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else running--;
    }
  };
}
