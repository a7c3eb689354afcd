import { chmodSync } from "node:fs";
import { join } from "node:path";
import { NOFILES, QMAILD } from "./accounts.ts";
import { BIN } from "./program.ts";
import { type Server, startServer } from "./server.ts";
import type { World } from "./world.ts";

export interface PopdHow {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly control?: Readonly<Record<string, string>>;
  readonly program?: string;
}

/** The resident POP3 chain of a world: qmail-popd below tcpserver-sql. */
export function startPopd(
  world: World,
  { args = [], env = {}, control = {}, program }: PopdHow = {},
): Promise<Server> {
  for (const [file, text] of Object.entries(control)) {
    chmodSync(world.control(file, text), /cert|key/.test(file) ? 0o600 : 0o644);
  }
  const ids = ["-u", String(QMAILD), "-g", String(NOFILES)];
  const own = ["-v", "-HRDl0", "-c", "2000", "-b", "500", ...ids, "-w", "2", "-m"];
  const served = [program ?? join(BIN, "qmail-popd"), "pop.test", "Maildir"];
  return startServer("tcpserver-sql", [...own, ...args, "127.0.0.1", "0", ...served], {
    env: { ...world.env, ...env },
  });
}
