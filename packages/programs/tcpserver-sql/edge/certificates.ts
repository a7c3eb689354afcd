import { closeSync } from "node:fs";
import { hasControl } from "@qmail-mysql/control-files";
import { decodeOrder, PACKET_LIMIT } from "@qmail-mysql/handover";
import { openDescriptors } from "@qmail-mysql/native";
import { self } from "@qmail-mysql/process";
import { inTurns, whenReady } from "@qmail-mysql/socket";
import { Trouble } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";
import type { TcpSystem } from "./tcp-system.ts";

/** Begins the reason why the certificates cannot be read. */
export const FAILED = "failed ";
const PATIENCE = 10_000; // milliseconds for an answer

export interface Certificates {
  /** Reads the certificates and keys of the site, as packets for workers. Rejects with Trouble. */
  read(): Promise<readonly string[]>;
  /** Calls back when they cannot be read any more. */
  onEnd(ended: () => void): void;
}

/**
 * Starts the process that reads them, which has to be done before the uid is changed. Undefined if the site has none.
 */
export function openCertificates(
  system: TcpSystem,
  home: string,
  base: readonly string[],
): Certificates | undefined {
  if (!hasControl(home, "tlscerts") && !hasControl(home, "servercert.pem")) return undefined;
  const descriptors = openDescriptors();
  const [socket, theirs] = descriptors.pair();
  const { file, args, argv0 } = self(["--keys"]);
  system.spawner([argv0, ...args], file)(base, theirs);
  closeSync(theirs);

  const packet = Buffer.alloc(PACKET_LIMIT + 1);
  const packets: string[] = [];
  let hasEnded = false;
  let ended = () => {};
  let settle: ((answer: readonly string[] | Trouble) => void) | undefined;
  const finish = (answer: readonly string[] | Trouble) => {
    packets.length = 0;
    settle?.(answer);
  };
  const take = inTurns(() => {
    const got = descriptors.poll(socket, packet);
    if (got === "none") return false;
    if (!got) {
      finish(new Trouble("unable to read the certificates: the process that reads them has ended"));
      unwatch();
      hasEnded = true;
      ended();
      return false;
    }
    const text = packet.toString("latin1", 0, got.length);
    const order = decodeOrder(text);
    if (order?.kind !== "certificate") {
      finish(new Trouble(text.startsWith(FAILED) ? text.slice(FAILED.length) : "invalid certificates"));
      return true;
    }
    packets.push(text);
    if (order.isLast) finish([...packets]);
    return true;
  });
  const unwatch = whenReady(socket, take);
  const ask: Certificates["read"] = () =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => finish(new Trouble("unable to read the certificates: timed out")),
        PATIENCE,
      );
      settle = (answer) => {
        clearTimeout(timer);
        settle = undefined;
        if (answer instanceof Trouble) reject(answer);
        else resolve(answer);
      };
      if (!descriptors.send(socket, toBuffer("read"), [])) {
        finish(new Trouble("unable to read the certificates: the process that reads them has ended"));
      }
    });
  let last: Promise<unknown> = Promise.resolve();
  return {
    read() {
      const answer = last.then(ask, ask); // one at a time
      last = answer;
      return answer;
    },
    onEnd(tell) {
      ended = tell;
      if (hasEnded) tell();
    },
  };
}
