import { closeSync, createReadStream, fstatSync } from "node:fs";

declare const Bun: { file(fd: number): { stream(): AsyncIterable<Uint8Array> } } | undefined;

/** Hears a pipe of ours to its end, without a thread for each; closes it. Text is a byte string. */
export async function readPipe(fd: number, data: (text: string) => void): Promise<void> {
  const pipe = inode(fd);
  const stream = typeof Bun === "undefined" ? createReadStream("", { fd }) : Bun.file(fd).stream();
  try {
    for await (const chunk of stream) data(Buffer.from(chunk as Uint8Array).toString("latin1"));
  } finally {
    // Bun reads a copy and closes that; a stream of Node's has closed its own by now.
    if (inode(fd) === pipe) closeSync(fd);
  }
}

function inode(fd: number): number | undefined {
  try {
    return fstatSync(fd).ino;
  } catch {
    return undefined;
  }
}
