import { closeSync } from "node:fs";
import { encodeMonitor, MONITOR_PROTO } from "@qmail-mysql/handover";
import { openDescriptors } from "@qmail-mysql/native";
import { inTurns, whenReady } from "@qmail-mysql/socket";
import { Trouble } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";
import type { TcpSystem } from "./tcp-system.ts";

/** The process that keeps the privileges, and that the workers ask for what needs them. */
export interface Monitor {
  /** Returns a new socket to it, for a worker. Throws Trouble. */
  connect(): number;
  /** Calls back when it has ended. */
  onEnd(callback: () => void): void;
}

/** Starts the program as a monitor, which has to be done before the uid is changed. */
export function openMonitor(system: TcpSystem, program: readonly string[], base: readonly string[]): Monitor {
  const descriptors = openDescriptors();
  const [socket, theirs] = descriptors.pair();
  try {
    system.spawner(program)([...base, `PROTO=${MONITOR_PROTO}`], theirs);
  } finally {
    closeSync(theirs);
  }
  const packet = Buffer.alloc(1);
  let isOver = false;
  let over = () => {};
  const look = inTurns(() => {
    const got = descriptors.poll(socket, packet);
    if (!got && !isOver) {
      isOver = true;
      over();
    }
    return got !== "none" && got !== undefined;
  });
  whenReady(socket, look);
  return {
    connect() {
      const [worker, monitor] = descriptors.pair();
      const isSent = descriptors.send(socket, toBuffer(encodeMonitor()), [monitor]);
      closeSync(monitor);
      if (isSent) return worker;
      closeSync(worker);
      throw new Trouble("the monitor takes no workers");
    },
    onEnd(callback) {
      over = callback;
      if (isOver) over();
    },
  };
}
