import { libc, MSG_DONTWAIT, MSG_NOSIGNAL } from "@qmail-mysql/native";
import type { Client } from "@qmail-mysql/pop3";
import { WAIT } from "@qmail-mysql/steps";
import { isNotReady, type Loop } from "./loop.ts";

const SHUT_WR = 1; // sys/socket.h
const PIECE = 4096; // bytes received at once
const PER_TURN = 64; // calls before other sessions are served
const shared = Buffer.from(new ArrayBuffer(PIECE));
const NOTHING = new Uint8Array(0);

export interface Connection extends Client {
  /** Ends what is sent. */
  finish(): void;
}

/** The ports of a session that is a routine of `loop`. Both throw with an errno if the client is gone or too slow. */
export function connectionOf(fd: number, loop: Loop, ms: number): Connection {
  const { call, failure } = libc();
  let unsent: Uint8Array = NOTHING;
  let calls = 0; // since the session waited
  const wait = (): typeof WAIT => {
    const error = failure();
    if (!isNotReady(error)) throw error;
    loop.limit(fd, ms);
    calls = 0;
    return WAIT;
  };
  /** Is it the turn of other sessions? */
  const isTheirTurn = () => {
    calls = calls < PER_TURN ? calls + 1 : 0;
    if (calls === 0) loop.again(fd);
    return calls === 0;
  };
  return {
    read(): Uint8Array | typeof WAIT {
      if (isTheirTurn()) return WAIT;
      const n = call.recv(fd, shared, PIECE, MSG_DONTWAIT);
      return n < 0 ? wait() : Uint8Array.prototype.slice.call(shared, 0, n);
    },
    // Is called again with the same data until all of it is sent.
    write(data) {
      if (isTheirTurn()) return WAIT;
      if (unsent.length === 0) unsent = typeof data === "string" ? Buffer.from(data, "latin1") : data;
      while (unsent.length > 0) {
        const n = call.send(fd, unsent, unsent.length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) return wait();
        unsent = unsent.subarray(n);
      }
      return undefined;
    },
    finish: () => void call.shutdown(fd, SHUT_WR),
  };
}
