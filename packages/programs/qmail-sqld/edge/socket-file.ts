import { chmodSync, statSync, unlinkSync } from "node:fs";
import { sqldAt } from "@qmail-mysql/sqld-client";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";

/** Removes a socket left by a crash. Throws Trouble if another qmail-sqld answers on it. */
export async function refuseSecond(path: string): Promise<void> {
  let isSocket: boolean;
  try {
    isSocket = statSync(path).isSocket();
  } catch (error) {
    if (errno(error) === "ENOENT") return;
    throw new Trouble(`unable to stat ${path}: ${reason(error)}`);
  }
  if (!isSocket) throw new Trouble(`unable to listen on ${path}: it is there, and no socket`);
  const other = sqldAt(path);
  const answers = await other.ask("settings", [], 1).then(
    () => true,
    () => false,
  );
  other.close();
  if (answers) throw new Trouble(`unable to listen on ${path}: another qmail-sqld does`);
  try {
    unlinkSync(path);
  } catch (error) {
    throw new Trouble(`unable to remove ${path}: ${reason(error)}`);
  }
}

/** Sets the mode of the socket, which controls who may connect. Throws with an errno. */
export function setSocketMode(path: string, mode: number): void {
  chmodSync(path, mode);
}
