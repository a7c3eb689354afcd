import { spawn } from "node:child_process";

const NOTIFY = "/usr/bin/systemd-notify";

/**
 * Tells systemd, if it is what started us: sd_notify(3). Through systemd's own program, for the runtime has no
 * datagram sockets; the unit has NotifyAccess=all. Without this program there is no systemd to notify.
 */
export async function notifySystemd(state: string): Promise<void> {
  if (!process.env.NOTIFY_SOCKET) return;
  await new Promise<void>((resolve) => {
    const child = spawn(NOTIFY, [state], { stdio: "ignore" });
    child.on("error", () => resolve());
    child.on("exit", () => resolve());
  });
}
