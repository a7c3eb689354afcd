import { spawn } from "node:child_process";

const NOTIFY = "/usr/bin/systemd-notify";

/**
 * Notifies systemd if it started this process: sd_notify(3). Runs systemd-notify, since the runtime has no unix
 * datagram sockets; the unit has NotifyAccess=all. If the program is missing there is no systemd to notify.
 */
export async function notifySystemd(state: string): Promise<void> {
  if (!process.env.NOTIFY_SOCKET) return;
  await new Promise<void>((resolve) => {
    const child = spawn(NOTIFY, [state], { stdio: "ignore" });
    child.on("error", () => resolve());
    child.on("exit", () => resolve());
  });
}
