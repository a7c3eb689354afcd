import { type Native, O_CLOEXEC, spawn } from "@qmail-mysql/native";

/** A qmail-queue that was started, and our ends of the pipes to its descriptors 0 and 1 and from 6. */
export interface Started {
  /** Undefined if the program cannot be executed. */
  readonly pid: number | undefined;
  readonly text: number;
  readonly addresses: number;
  readonly custom: number;
  /** Closes those that are still open. */
  close(...fds: readonly number[]): void;
}

/**
 * Starts `program`, a path relative to the current directory, as qmail.c does: SIGPIPE ignored, these variables.
 * Undefined if there is no pipe or process for it.
 */
export function startQueue(c: Native, program: string, env: readonly string[]): Started | undefined {
  const open = new Set<number>();
  const close = (...fds: readonly number[]) => {
    for (const fd of fds) if (open.delete(fd)) c.raw("close", fd);
  };
  const pipe = (): [number, number] => {
    const ends = new Int32Array(2);
    c.call("pipe2", ends, O_CLOEXEC);
    for (const fd of ends) open.add(fd);
    return [ends[0] ?? -1, ends[1] ?? -1];
  };
  try {
    const [[theirText, text], [theirAddresses, addresses], [custom, theirCustom]] = [pipe(), pipe(), pipe()];
    const descriptors = [
      [theirText, 0],
      [theirAddresses, 1],
      [theirCustom, 6],
    ] as const;
    const pid = spawn(c, { argv: [program], env, descriptors });
    close(theirText, theirAddresses, theirCustom);
    return { pid, text, addresses, custom, close };
  } catch {
    close(...open);
    return undefined;
  }
}
