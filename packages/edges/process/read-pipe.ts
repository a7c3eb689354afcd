import { closeSync, createReadStream, fstatSync } from "node:fs";
import { bun } from "@qmail-mysql/native";

interface Files {
  file(fd: number): { stream(): AsyncIterable<Uint8Array> };
}

/** Reads a pipe of ours to its end, without a thread for each, and closes it. Text is a byte string. */
export async function readPipe(fd: number, data: (text: string) => void): Promise<void> {
  const pipe = inode(fd);
  const stream = bun<Files>()?.file(fd).stream() ?? createReadStream("", { fd });
  try {
    for await (const chunk of stream) data(Buffer.from(chunk as Uint8Array).toString("latin1"));
  } finally {
    // Bun reads a duplicate and closes that; a stream of Node has already closed the descriptor.
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
