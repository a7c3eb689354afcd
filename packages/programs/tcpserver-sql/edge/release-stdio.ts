import { closeSync, openSync } from "node:fs";
import { writeAll } from "@qmail-mysql/process";
import type { Options } from "../options.ts";
import type { TcpListener } from "./tcp-system.ts";

/** Says the port if asked to, and lets go of descriptors 0 and 1: they are not ours to hold. */
export function releaseStdio({ printPort }: Options, [first]: readonly TcpListener[]): void {
  if (printPort) writeAll(1, `${first?.port}\n`);
  for (const [fd, mode] of [
    [0, "r"],
    [1, "w"],
  ] as const) {
    try {
      closeSync(fd);
    } catch {
      // it was closed when we were started
    }
    openSync("/dev/null", mode); // the lowest free one: nothing of ours may become a child's 0 or 1
  }
}
