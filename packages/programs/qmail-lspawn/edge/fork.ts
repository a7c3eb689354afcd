import { forkServer } from "@qmail-mysql/fork-server/server";
import { rehearse } from "./rehearse.ts";
import { worker } from "./worker.ts";

/** The process that forks the workers of qmail-lspawn. */
export const forkWorkers = (): Promise<number> =>
  forkServer({ program: "qmail-lspawn", work: worker, rehearse });
