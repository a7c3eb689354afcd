import { closeSync } from "node:fs";
import { qmailHome } from "@qmail-mysql/control-files";
import { deliver, Failure, plan, report, toOperands } from "@qmail-mysql/delivery";
import type { Instruction } from "@qmail-mysql/dotqmail";
import { deliveryPorts, dotQmail, enterHome, exists, message } from "@qmail-mysql/maildrop";
import type { Descriptors } from "@qmail-mysql/native";
import { becomeUser, exec, writeAll } from "@qmail-mysql/process";
import {
  Die,
  isTemporary,
  OK,
  QLX_EXECHARD,
  QLX_EXECSOFT,
  QLX_ROOT,
  QLX_USAGE,
  SOFT,
} from "@qmail-mysql/trouble";
import { netstring } from "@qmail-mysql/wire";
import { BECOMING, decodeTask, PACKET_LIMIT, type Task } from "../task.ts";

const OUT = 1;

/**
 * The main loop of a worker. It irrevocably sets the uid and gid of its first task, and delivers one message after
 * another for them. `tasks` is the socket for the tasks, each with the descriptor of its message. A delivery that needs
 * a program is its last one: it executes qmail-local.
 */
export async function worker(tasks: number, descriptors: Descriptors): Promise<number> {
  const packet = Buffer.alloc(PACKET_LIMIT + 1);
  let identity: Pick<Task, "uid" | "gid"> | undefined;
  for (;;) {
    const got = descriptors.receive(tasks, packet);
    const message = got?.fds[0];
    if (!got || message === undefined) return OK;
    const task = decodeTask(packet.toString("latin1", 0, got.length));
    if (!identity) {
      const status = become(task);
      if (status !== OK) return status;
      identity = task;
    }
    if (task.uid !== identity.uid || task.gid !== identity.gid) return QLX_USAGE;
    writeAll(OUT, netstring(await delivered(task, message, descriptors)));
    closeSync(message);
    process.chdir("/");
  }
}

function become({ uid, gid }: Task): number {
  if (uid === 0) return QLX_ROOT;
  try {
    becomeUser(uid, gid);
    return OK;
  } catch {
    return QLX_USAGE;
  }
}

/** The exit code of qmail-local for this delivery, a NUL, and its output. */
export async function delivered(task: Task, fd: number, descriptors: Descriptors): Promise<string> {
  try {
    const { asked, env } = await planned(task, fd);
    const all = [...asked];
    if (task.aliases === undefined || all.some(needsProgram)) becomeLocal(task, fd, descriptors);
    const done = deliver(all, deliveryPorts(env, { message: fd, out: OUT, err: OUT }, qmailHome()));
    return `${OK}\0${report(done)}`;
  } catch (error) {
    if (error instanceof Die) throw error;
    const text = error instanceof Error ? error.message : String(error);
    return `${error instanceof Failure ? error.code : SOFT}\0${text === "" ? "" : `${text}\n`}`;
  }
}

function planned({ order, aliases, magicForwarding }: Task, fd: number) {
  return plan(order, false, {
    enterHome,
    message: () => message(fd),
    dotQmail,
    exists,
    now: () => new Date(),
    warn: () => {},
    tables: async () => ({ findAliases: async () => aliases ?? [], magicForwarding, close: async () => {} }),
  });
}

function needsProgram({ kind }: Instruction): boolean {
  return kind === "program" || kind === "forward";
}

function becomeLocal({ order }: Task, fd: number, descriptors: Descriptors): never {
  descriptors.dup2(fd, 0);
  descriptors.setCloseOnExec();
  process.chdir(qmailHome());
  writeAll(OUT, BECOMING);
  try {
    exec(["bin/qmail-local", "--", ...toOperands(order)]);
  } catch (error) {
    // As in stock qmail-lspawn (error_temp), a file that is missing or not executable is a permanent error.
    const soft = error instanceof Error && isTemporary(error.cause);
    throw new Die(soft ? QLX_EXECSOFT : QLX_EXECHARD, error instanceof Error ? error.message : "");
  }
}
