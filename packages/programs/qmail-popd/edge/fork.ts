import { forkServer } from "@qmail-mysql/fork-server/server";
import { openDescriptors } from "@qmail-mysql/native";
import { args, resident } from "@qmail-mysql/process";
import { rehearse } from "./rehearse.ts";
import { prepare, worker } from "./worker.ts";

// Garbage is collected as in a machine with this memory, so that the list of a large Maildir leaves none.
const ENGINE = { BUN_JSC_forceRAMSize: "67108864" };
const TASKS = 3; // of a worker that was not forked

/** The process that forks the workers of the mailboxes. Its argument after --fork-server is the name of the Maildirs. */
export function forkWorkers(): Promise<number> {
  resident();
  const prepared = prepare(args()[1] ?? "");
  return forkServer({
    program: "qmail-popd",
    engine: ENGINE,
    work: (tasks, descriptors) => worker(tasks, descriptors, prepared),
    rehearse: () => rehearse(),
  });
}

/** A worker that was not forked. */
export const workAlone = (): number => worker(TASKS, openDescriptors(), prepare(args()[1] ?? ""));
