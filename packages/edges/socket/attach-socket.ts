import type { BunSocket } from "./unsent.ts";

/** A socket of the runtime, with the object that its handlers use. */
export interface AttachedSocket<T> extends BunSocket {
  readonly data: T;
}

interface BunRuntime {
  connect<T>(options: {
    readonly fd: number;
    readonly data: T;
    readonly allowHalfOpen: boolean;
    readonly socket: Readonly<Record<string, (socket: AttachedSocket<T>, chunk: Buffer) => void>>;
  }): Promise<unknown>;
}

declare const Bun: BunRuntime;

/** Attaches the descriptor of a connected socket to the event loop of the runtime. Rejects if that is not possible. */
export const attachSocket: BunRuntime["connect"] = (options) => Bun.connect(options);
