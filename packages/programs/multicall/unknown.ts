import { calledAs, run } from "@qmail-mysql/process";

/** Reports that argv[0] is not the name of a program. */
export function unknown(): Promise<never> {
  return run(calledAs(), () => {
    throw new Error(`unable to run ${calledAs()}: it is not a program of qmail-mysql`);
  });
}
