import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Descriptors } from "@qmail-mysql/native";
import { say } from "@qmail-mysql/process";
import { reason } from "@qmail-mysql/trouble";
import { decodeTask, encodeTask } from "../task.ts";
import { delivered } from "./worker.ts";

/**
 * Makes a delivery to a temporary maildir before there are workers. Each of them would otherwise prepare what the
 * runtime prepares at the first delivery, in memory of its own. A second delivery saves nothing more (bench/PROFILE.md).
 */
export async function rehearse(descriptors: Descriptors): Promise<void> {
  let home: string | undefined;
  try {
    home = mkdtempSync(join(tmpdir(), "qmail-lspawn-"));
    for (const dir of ["", "/tmp", "/new", "/cur"]) mkdirSync(`${home}/Maildir${dir}`);
    writeFileSync(`${home}/message`, "\n");
    const [user, dash, ext, sender] = ["nobody", "", "", ""];
    const order = {
      user,
      home,
      local: user,
      dash,
      ext,
      host: "localhost",
      sender,
      defaultDelivery: "./Maildir/",
    };
    const packet = encodeTask({ uid: 0, gid: 0, order, magicForwarding: false, aliases: [] }) ?? "";
    const message = openSync(`${home}/message`, "r");
    await delivered(decodeTask(packet), message, descriptors);
    closeSync(message);
  } catch (error) {
    say(`qmail-lspawn: warning: unable to make a temporary maildir: ${reason(error)}`); // workers only start slower
  } finally {
    process.chdir("/");
    if (home !== undefined) rmSync(home, { recursive: true, force: true });
  }
}
