import { versionsOf } from "@qmail-mysql/native";

/** What was read from files; some of them may be open until it is not used any more. */
interface Closeable {
  close(): void;
}

const FRESH = 2; // seconds; a file may change again within the granularity of its times without another version

/**
 * Returns what `read` returns, from memory while none of `files` has changed since, for a process that needs it often:
 * each result is closed when it was replaced and all that got it have closed it. Throws what `read` throws.
 */
export function remembering<T extends Closeable>(files: readonly string[], read: () => T): () => T {
  const versions = versionsOf(files);
  let current: Shared<T> | undefined;
  let isSettled = false;
  return () => {
    const areSame = versions.areSame();
    if (!current || !areSame || !isSettled) {
      isSettled = false;
      const next = new Shared(read());
      isSettled = versions.changed() < Date.now() / 1000 - FRESH;
      current?.replace();
      current = next;
    }
    return current.use();
  };
}

class Shared<T extends Closeable> {
  readonly #value: T;
  #uses = 0;
  #isReplaced = false;

  constructor(value: T) {
    this.#value = value;
  }

  use(): T {
    this.#uses++;
    let isOpen = true;
    const close = () => {
      if (!isOpen) return;
      isOpen = false;
      this.#uses--;
      this.#closeUnused();
    };
    return { ...this.#value, close };
  }

  replace(): void {
    this.#isReplaced = true;
    this.#closeUnused();
  }

  #closeUnused(): void {
    if (this.#isReplaced && this.#uses === 0) this.#value.close();
  }
}
