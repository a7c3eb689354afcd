import { type Version, versionOf } from "@qmail-mysql/native";

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
  let current: Shared<T> | undefined;
  return () => {
    const versions = files.map(versionOf);
    if (!current?.isOf(versions)) {
      const next = new Shared(read(), versions);
      current?.replace();
      current = next;
    }
    return current.use();
  };
}

class Shared<T extends Closeable> {
  readonly #value: T;
  readonly #versions: readonly (Version | undefined)[];
  #uses = 0;
  #isReplaced = false;

  constructor(value: T, versions: readonly (Version | undefined)[]) {
    this.#value = value;
    const now = Date.now() / 1000;
    const isSettled = (version: Version | undefined) => version && version.changed < now - FRESH;
    this.#versions = versions.every(isSettled) ? versions : [];
  }

  isOf(versions: readonly (Version | undefined)[]): boolean {
    if (this.#versions.length < versions.length) return false;
    return versions.every((version, i) => version !== undefined && version.text === this.#versions[i]?.text);
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
