import { say } from "@qmail-mysql/process";
import { spooledQueue } from "@qmail-mysql/queue-program";
import type { Environment, Ports, Queue } from "@qmail-mysql/smtp";
import { Gone, timedRead, timedWrite } from "@qmail-mysql/socket";

const PIECE = 65536; // bytes read at a time

/** The client on descriptors 0 and 1, and qmail-queue, for a runtime that cannot call the C library. */
export function portablePorts(qmailHome: string): Omit<Ports, "now" | "startTls"> {
  return {
    async read(ms) {
      const piece = Buffer.alloc(PIECE);
      try {
        return piece.subarray(0, await timedRead(0, piece, ms));
      } catch (error) {
        if (!(error instanceof Gone)) throw error;
        return "code" in error ? piece.subarray(0, 0) : "timeout";
      }
    },
    async write(text, ms) {
      try {
        await timedWrite(1, text, ms);
        return true;
      } catch (error) {
        if (!(error instanceof Gone)) throw error;
        return false;
      }
    },
    isThere: () => true,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    log: (line) => say(`qmail-smtpd: ${process.pid} ${line}`),
    openQueue: (program, environment) => openQueue(program, environment, qmailHome),
  };
}

function openQueue(program: string, environment: Environment, qmailHome: string): Queue | undefined {
  const env = asRecord(environment);
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  try {
    const queue = spooledQueue({ program, qmailHome, env, err: 2 });
    return {
      put(bytes) {
        queue.put(bytes);
        return true;
      },
      close(envelope) {
        const { ended, custom } = queue.close(envelope);
        queue.abandon();
        return { pid: ended.pid, code: ended.code, custom, isComplete: true };
      },
      abandon: queue.abandon,
    };
  } catch {
    return undefined;
  }
}

function asRecord(environment: Environment): Record<string, string> {
  const pairs = environment.entries().map((entry): [string, string] => {
    const at = entry.indexOf("=");
    return [entry.slice(0, at), entry.slice(at + 1)];
  });
  return Object.fromEntries(pairs.toReversed());
}
