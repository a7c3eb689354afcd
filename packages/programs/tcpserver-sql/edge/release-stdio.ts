import { closeSync, openSync } from "node:fs";
import { writeAll } from "@qmail-mysql/process";
import type { Options } from "../options.ts";
import type { TcpListener } from "./tcp-system.ts";

/** Prints the port if requested, and closes descriptors 0 and 1, so that this process does not keep them open. */
export function releaseStdio({ printPort }: Options, [first]: readonly TcpListener[]): void {
  if (printPort) writeAll(1, `${first?.port}\n`);
  for (const [fd, mode] of [
    [0, "r"],
    [1, "w"],
  ] as const) {
    try {
      closeSync(fd);
    } catch {
      // it was already closed at the start
    }
    openSync("/dev/null", mode); // the lowest free descriptor, so that no other file gets number 0 or 1
  }
}
