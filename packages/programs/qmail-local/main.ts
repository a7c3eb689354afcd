import { qmailHome } from "@qmail-mysql/control-files";
import { type Done, deliver, Failure, type Order, plan, report, USAGE } from "@qmail-mysql/delivery";
import { describe, type Instruction } from "@qmail-mysql/dotqmail";
import { deliveryPorts } from "@qmail-mysql/maildrop";
import { say, writeAll } from "@qmail-mysql/process";
import { AliasMisconfiguration } from "@qmail-mysql/routing";
import { HARD, OK, SOFT, Usage } from "@qmail-mysql/trouble";
import { localPorts } from "./edge/ports.ts";
import { parseOperands } from "./operands.ts";

const MESSAGE = 0;
const OUT = 1;
const ERR = 2;

/** qmail-local [-nN] user homedir local dash ext domain sender defaultdelivery: delivers or forwards a message. */
export async function main(args: readonly string[]): Promise<number> {
  const asked = parseOperands(args);
  if (!asked || "illegal" in asked) {
    if (asked) say(`qmail-local: illegal option -- ${asked.illegal}`);
    throw new Usage(HARD, USAGE);
  }
  process.umask(0o077);
  try {
    const done = asked.dry ? await describeAll(asked.order) : await deliverAll(asked.order);
    writeAll(OUT, report(done));
    return OK;
  } catch (error) {
    // The sender reads this, so it is the text of stock qmail-local, without a prefix.
    if (!(error instanceof Failure || error instanceof AliasMisconfiguration)) throw error;
    if (error.message !== "") writeAll(ERR, `${error.message}\n`);
    return error instanceof Failure ? error.code : SOFT;
  }
}

async function deliverAll(order: Order): Promise<Done> {
  const { asked, env } = await plan(order, false, localPorts(MESSAGE));
  return deliver(asked, deliveryPorts(env, { message: MESSAGE, out: OUT, err: ERR }, qmailHome()));
}

async function describeAll(order: Order): Promise<Done> {
  const { asked } = await plan(order, true, localPorts(undefined));
  const done = deliver(printed(asked), {
    mbox: () => {},
    maildir: () => {},
    program: () => ({ pid: 0, code: 0 }),
    forward: () => 0,
  });
  return { ...done, queued: undefined };
}

function* printed(asked: Iterable<Instruction>): Generator<Instruction> {
  for (const instruction of asked) {
    if (instruction.kind !== "refuse") writeAll(OUT, `${describe(instruction)}\n`);
    yield instruction;
  }
}
