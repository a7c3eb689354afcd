import { closeSync, constants, openSync, read, readSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { childProcess } from "@qmail-mysql/native";
import { writeAll } from "@qmail-mysql/process";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";

const TTY = "/dev/tty";
const POLL = 30; // milliseconds between reads of the terminal, between which signals are handled
const MAX_LINE = 1024; // bytes

/**
 * Asks on the terminal, without echo; returns a byte string per question. Echo is restored in every case, also after a
 * signal. Waits `seconds` for each answer.
 */
export async function askSecrets(questions: readonly string[], seconds: number): Promise<string[]> {
  // Opened here, since O_NONBLOCK is shared through an inherited descriptor; twice, since spawning stty clears it.
  const tty = openTerminal(constants.O_NONBLOCK);
  const forStty = openTerminal(0);
  const saved = stty(forStty, ["-g"]);
  const hide = () => stty(forStty, ["-echo"]);
  const restore = () => stty(forStty, [saved]);
  let caught: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    caught = signal;
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
  for (const signal of signals) process.on(signal, onSignal);
  process.on("SIGCONT", hide); // the shell has enabled echo after ^Z
  process.on("exit", restore);
  try {
    hide();
    const answers: string[] = [];
    for (const question of questions) {
      writeAll(tty, question);
      try {
        answers.push(await terminalLine(tty, seconds, () => caught));
      } finally {
        writeAll(tty, "\n"); // the newline typed was not echoed
      }
    }
    return answers;
  } finally {
    restore();
    process.off("exit", restore);
    process.off("SIGCONT", hide);
    for (const signal of signals) process.off(signal, onSignal);
    closeSync(tty);
    closeSync(forStty);
  }
}

async function terminalLine(tty: number, seconds: number, caught: () => string | undefined): Promise<string> {
  const end = performance.now() + seconds * 1000;
  const chunk = Buffer.alloc(MAX_LINE);
  for (let line = ""; ; ) {
    const signal = caught();
    if (signal !== undefined) throw new Trouble(`unable to read a password: ${signal}`);
    if (performance.now() > end) throw new Trouble("unable to read a password: nobody typed one");
    try {
      const n = readSync(tty, chunk);
      if (n === 0) throw new Trouble("unable to read a password: end of input");
      line += chunk.toString("latin1", 0, n);
      if (line.includes("\n") || line.length > MAX_LINE) return line.split("\n", 1)[0] ?? "";
    } catch (error) {
      if (errno(error) !== "EAGAIN" && errno(error) !== "EINTR") throw error;
      await sleep(POLL);
    }
  }
}

function stty(tty: number, args: readonly string[]): string {
  const { status, stdout, error } = childProcess().spawnSync("stty", [...args], {
    stdio: [tty, "pipe", "ignore"],
  });
  if (status !== 0) throw new Trouble(`unable to change ${TTY}: ${error ? reason(error) : "stty failed"}`);
  return stdout.toString().trim();
}

function openTerminal(flags: number): number {
  try {
    return openSync(TTY, constants.O_RDWR | constants.O_NOCTTY | flags);
  } catch (error) {
    throw new Trouble(`unable to open ${TTY}: ${reason(error)}`);
  }
}

/** Returns the first line of `fd` without its line end, read within `seconds`; stops after more than MAX_LINE bytes. */
export async function firstLine(fd: number, seconds: number): Promise<string> {
  const end = performance.now() + seconds * 1000;
  let line = "";
  while (!line.includes("\n") && line.length <= MAX_LINE) {
    const bytes = await readWithin(fd, end - performance.now());
    if (bytes === "") break;
    line += bytes;
  }
  return (line.split("\n", 1)[0] ?? "").replace(/\r$/, "");
}

function readWithin(fd: number, ms: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Trouble(`unable to read descriptor ${fd}: ${why}`));
    const timer = setTimeout(() => fail("timed out"), Math.max(ms, 0));
    const chunk = Buffer.alloc(MAX_LINE);
    read(fd, chunk, 0, chunk.length, null, (error, n) => {
      clearTimeout(timer);
      if (error) fail(reason(error));
      else resolve(chunk.toString("latin1", 0, n));
    });
  });
}
