import { createReadStream } from "node:fs";

declare const Bun: { file(fd: number): { stream(): AsyncIterable<Uint8Array> } } | undefined;

/** Hears a pipe of ours to its end, without a thread for each; closes it. Text is a byte string. */
export async function readPipe(fd: number, data: (text: string) => void): Promise<void> {
  const stream = typeof Bun === "undefined" ? createReadStream("", { fd }) : Bun.file(fd).stream();
  for await (const chunk of stream) data(Buffer.from(chunk as Uint8Array).toString("latin1"));
}
