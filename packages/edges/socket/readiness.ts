import { F_SETFL, F_SETOWN, libc, O_ASYNC, O_NONBLOCK } from "@qmail-mysql/native";
import { reason, Trouble } from "@qmail-mysql/trouble";

// Readiness of descriptors that the runtime cannot watch, such as one to call accept4(2) or recvmsg(2) on: by SIGIO.

const PER_TURN = 128; // steps before the event loop serves the others
export const POLL_INTERVAL = 1000; // milliseconds: the delay if a signal is lost or no descriptor is free

/** Returns a function that soon calls `step` until it returns false, with the rest of the event loop in between. */
export function inTurns(step: () => boolean, perTurn = PER_TURN): () => void {
  let isScheduled = false;
  const turn = () => {
    isScheduled = false;
    for (let count = 0; count < perTurn; count++) if (!step()) return;
    schedule();
  };
  const schedule = () => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(turn);
  };
  return schedule;
}

const callbacks = new Set<() => void>();
const callAll = () => {
  for (const onReady of callbacks) onReady();
};
let isReady = false;
let timer: NodeJS.Timeout | undefined;

/**
 * Makes a descriptor non-blocking and calls `onReady` when it may be read or written again, perhaps also if not. Returns
 * a function that ends this. Throws Trouble.
 */
export function whenReady(fd: number, onReady: () => void): () => void {
  const { call, failure } = libc();
  if (!isReady) process.on("SIGIO", callAll); // for good: the default action of SIGIO ends the process
  isReady = true;
  const isWatched =
    call.fcntl(fd, F_SETOWN, process.pid) === 0 && call.fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC) === 0;
  if (!isWatched) throw new Trouble(`unable to watch a descriptor: ${reason(failure())}`);
  callbacks.add(onReady);
  timer ??= setInterval(callAll, POLL_INTERVAL);
  return () => {
    callbacks.delete(onReady);
    if (callbacks.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
