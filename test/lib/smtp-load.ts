import { setTimeout as sleep } from "node:timers/promises";
import { connectSmtp, type SmtpClient } from "./smtp-client.ts";

export const HOST = "h.example";
export const PASSWORD = "secret";
/** The mailboxes u0 ... */
export const MAILBOXES = 10;

/** A message that a client has tried to send. */
export interface Tried {
  readonly id: string;
  readonly sender: string;
  /** Those that were accepted. */
  readonly recipients: readonly string[];
  /** With LF as line end. */
  readonly text: string;
  /** Its end was sent as well. */
  isWhole: boolean;
  /** The last reply; undefined if there was none. */
  reply: string | undefined;
}

export interface Load {
  readonly tried: readonly Tried[];
  /** Replies that nobody may get, and other violations. */
  readonly wrong: readonly string[];
  /** Number of sessions that ended before QUIT. */
  cut(): number;
  /** Resolves after as many more messages with a reply. */
  messages(count: number): Promise<void>;
  /** Ends it after the sessions that are open. */
  stop(): Promise<void>;
}

export interface LoadHow {
  readonly port: number;
  readonly clients: number;
  readonly random: (below: number) => number;
  /** The server has what a stock qmail-smtpd has not: users, AUTH, STARTTLS, BDAT. */
  readonly isExtended: boolean;
}

type Kind = "good" | "unknown" | "mixed" | "far" | "login" | "wrong" | "cut" | "chunks" | "two";
const KINDS: readonly Kind[] = [
  ..."good good good good far cut two two".split(" "),
  ..."unknown mixed login login wrong chunks chunks".split(" "),
] as Kind[];

/** The session has ended. */
class Ended extends Error {}

/** Clients, each with one session after another, and in each some transactions. */
export function startLoad({ port, clients, random, isExtended }: LoadHow): Load {
  const tried: Tried[] = [];
  const wrong: string[] = [];
  let isOver = false;
  let cut = 0;
  let answered = 0;
  let wake = () => {};

  /** Sends a command; the reply has to begin as `allowed` says. */
  async function ask(client: SmtpClient, command: string, allowed: RegExp): Promise<string> {
    const reply = await client.ask(command);
    if (reply === "") throw new Ended();
    if (!allowed.test(reply)) wrong.push(`${command.slice(0, 60)}: ${reply}`);
    if (reply.startsWith("421")) throw new Ended();
    return reply;
  }

  async function rcpt(client: SmtpClient, address: string, allowed: RegExp): Promise<string[]> {
    return (await ask(client, `RCPT TO:<${address}>`, allowed)).startsWith("250") ? [address] : [];
  }

  async function recipientsOf(client: SmtpClient, kind: Kind): Promise<string[]> {
    const known = `u${random(MAILBOXES)}@${HOST}`;
    const all: string[] = [];
    if (kind === "far" || kind === "wrong") all.push(...(await rcpt(client, "x@far.example", /^553/)));
    if (kind === "unknown" || kind === "mixed") {
      all.push(...(await rcpt(client, `nobody${random(100)}@${HOST}`, /^(550|451|421)/)));
    }
    if (kind === "login") all.push(...(await rcpt(client, "y@far.example", /^250/)));
    if (["far", "unknown", "wrong"].includes(kind)) return all;
    const allowed = isExtended ? /^(250|451|421)/ : /^250/;
    for (const extension of kind === "two" ? ["", "-a"] : [""]) {
      all.push(...(await rcpt(client, known.replace("@", `${extension}@`), allowed)));
    }
    return all;
  }

  async function transaction(client: SmtpClient, kind: Kind): Promise<void> {
    const id = `${tried.length}.${random(1_000_000)}`;
    const sender = `s${id}@client.example`;
    await ask(client, `MAIL FROM:<${sender}>`, /^250/);
    const recipients = await recipientsOf(client, kind);
    if (recipients.length === 0) return void (await ask(client, "RSET", /^250/));
    const lines = random(8) === 0 ? random(3000) : random(30);
    const text = `Subject: ${id}\n\n${`${"x".repeat(70)}\n`.repeat(lines)}`;
    const message: Tried = { id, sender, recipients, text, isWhole: false, reply: undefined };
    tried.push(message);
    const bytes = text.replaceAll("\n", "\r\n");
    if (kind === "chunks") {
      const half = bytes.length >> 1;
      client.socket.write(`BDAT ${half}\r\n${bytes.slice(0, half)}`, "latin1");
      const first = await client.reply();
      if (first === "") throw new Ended();
      message.isWhole = true;
      message.reply = await final(client, `BDAT ${bytes.length - half} LAST\r\n${bytes.slice(half)}`);
    } else {
      const reply = await ask(client, "DATA", /^(354|451)/);
      if (!reply.startsWith("354")) {
        message.reply = reply;
        return;
      }
      if (kind === "cut") {
        client.socket.write(bytes.slice(0, random(bytes.length)), "latin1");
        await sleep(random(5));
        client.socket.destroy();
        throw new Ended();
      }
      message.isWhole = true;
      message.reply = await final(client, `${bytes}.\r\n`);
    }
    answered++;
    wake();
    if (!/^(250|451)/.test(message.reply)) wrong.push(`message ${id}: ${message.reply}`);
  }

  async function final(client: SmtpClient, bytes: string): Promise<string> {
    client.socket.write(bytes, "latin1");
    const reply = await client.reply();
    if (reply === "") throw new Ended();
    return reply;
  }

  async function session(): Promise<void> {
    const from = `127.${1 + random(200)}.${random(250)}.${1 + random(250)}`;
    const client = await connectSmtp(port, from);
    try {
      const greeting = await client.reply();
      if (greeting === "") throw new Ended();
      if (!/^220/.test(greeting)) wrong.push(`greeting: ${greeting}`);
      if (isExtended && random(6) === 0) {
        await ask(client, "STARTTLS", /^220/);
        await client.encrypt().catch(() => {
          throw new Ended();
        });
      }
      const kind = KINDS[random(isExtended ? KINDS.length : 8)] ?? "good";
      await ask(client, "EHLO client.example", /^250/);
      let isLogin = kind === "login";
      if (isLogin || kind === "wrong") {
        const password = isLogin ? PASSWORD : "wrong";
        const login = `u${random(MAILBOXES)}`;
        const verdict = isLogin ? /^(235|454)/ : /^(535|454|421)/;
        isLogin = (await ask(client, `AUTH PLAIN ${btoa(`\0${login}\0${password}`)}`, verdict)).startsWith(
          "235",
        );
      }
      for (let n = 1 + random(3); n > 0; n--) {
        await transaction(client, kind === "login" && !isLogin ? "good" : kind);
      }
      await ask(client, "QUIT", /^221/);
    } finally {
      client.socket.destroy();
    }
  }

  async function run(): Promise<void> {
    while (!isOver) {
      try {
        await session();
      } catch (error) {
        if (error instanceof Ended) cut++;
        else if ((error as { code?: unknown }).code === "ECONNREFUSED") await sleep(20);
        else if ((error as { code?: unknown }).code !== "ECONNRESET") wrong.push(String(error));
        await sleep(5);
      }
    }
  }

  const all = Array.from({ length: clients }, run);
  return {
    tried,
    wrong,
    cut: () => cut,
    async messages(count) {
      const end = answered + count;
      while (answered < end) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async stop() {
      isOver = true;
      await Promise.all(all);
    },
  };
}
