import { forkServer } from "@qmail-mysql/fork-server/server";
import { openDescriptors } from "@qmail-mysql/native";
import { args } from "@qmail-mysql/process";
import { rehearse } from "./rehearse.ts";
import { prepare, worker } from "./worker.ts";

const TASKS = 3; // of a worker that was not forked

/** The process that forks the workers of the mailboxes. Its argument after --fork-server is the name of the Maildirs. */
export function forkWorkers(): Promise<number> {
  const prepared = prepare(args()[1] ?? "");
  return forkServer({
    program: "qmail-popd",
    work: (tasks, descriptors) => worker(tasks, descriptors, prepared),
    rehearse: () => rehearse(),
  });
}

/** A worker that was not forked. */
export const workAlone = (): number => worker(TASKS, openDescriptors(), prepare(args()[1] ?? ""));
