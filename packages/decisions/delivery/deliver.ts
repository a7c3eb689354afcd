import type { Instruction } from "@qmail-mysql/dotqmail";
import { temporary } from "./failure.ts";
import { afterProgram, type Ended } from "./program-exit.ts";

/** Ports, one for each kind of delivery. Each makes its delivery or throws Failure. */
export interface DeliveryPorts {
  readonly mbox: (file: string) => void;
  readonly maildir: (dir: string) => void;
  readonly program: (command: string) => Ended;
  /** Forwards the message to all recipients at once; returns the pid of qmail-queue. */
  readonly forward: (recipients: readonly string[]) => number;
}

/** Counts of what was done. */
export interface Done {
  readonly files: number;
  readonly programs: number;
  readonly forwards: number;
  /** The pid of qmail-queue, when something was forwarded. */
  readonly queued: number | undefined;
}

/**
 * Carries out instructions in order; all forwards are made last, in one message. It stops at the first failure: files
 * already written are kept, and nothing is forwarded.
 */
export function deliver(asked: Iterable<Instruction>, ports: DeliveryPorts): Done {
  const recipients: string[] = [];
  let files = 0;
  let programs = 0;
  loop: for (const instruction of asked) {
    switch (instruction.kind) {
      case "refuse":
        throw temporary(instruction.why);
      case "mbox":
        files++;
        ports.mbox(untilNul(instruction.name));
        break;
      case "maildir":
        files++;
        ports.maildir(untilNul(instruction.name));
        break;
      case "program":
        programs++;
        if (afterProgram(ports.program(untilNul(instruction.command))) === "stop") break loop;
        break;
      case "forward":
        recipients.push(untilNul(instruction.address));
        break;
    }
  }
  const queued = recipients.length === 0 ? undefined : ports.forward(recipients);
  return { files, programs, forwards: recipients.length, queued };
}

/** A name, a command or an address ends at a NUL, as in stock qmail-local. */
function untilNul(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/** The last lines that qmail-local prints. */
export function report({ files, programs, forwards, queued }: Done): string {
  return `did ${files}+${forwards}+${programs}\n${queued === undefined ? "" : `qp ${queued}\n`}`;
}
