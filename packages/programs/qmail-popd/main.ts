import { isMonitor, isWorker } from "@qmail-mysql/handover";
import { HARD, Usage } from "@qmail-mysql/trouble";

/** qmail-popd hostname maildir: serves POP3 in the workers of tcpserver-sql -m. qmail-popd(8). */
export async function main(args: readonly string[]): Promise<number> {
  const [hostname, maildir] = args;
  if (hostname === "--fork-server") return (await import("./edge/fork.ts")).forkWorkers();
  if (hostname === "--worker") return (await import("./edge/fork.ts")).workAlone();
  if (hostname === "--judge") return (await import("./edge/judge.ts")).judge();
  if (hostname !== undefined && maildir !== undefined && args.length === 2) {
    if (isWorker()) return (await import("./edge/greeter.ts")).greet(hostname);
    if (isMonitor()) return (await import("./edge/monitor.ts")).monitor(maildir);
  }
  throw new Usage(HARD, "tcpserver-sql -m -w workers -u uid -g gid host port qmail-popd hostname maildir");
}
