import { type Certificate, type Handed, serveHanded } from "@qmail-mysql/handover";
import { libc, native } from "@qmail-mysql/native";
import { resident, say } from "@qmail-mysql/process";
import { concurrentQueue } from "@qmail-mysql/queue-program";
import type { Ports, TlsInfo } from "@qmail-mysql/smtp";
import { type Adopted, adopt } from "@qmail-mysql/socket";
import { acceptTls, type Contexts, openContexts } from "@qmail-mysql/tls";
import { reason, SOFT, Trouble } from "@qmail-mysql/trouble";
import { openCounters } from "./counters.ts";

const HANDSHAKE = 30_000; // milliseconds for a TLS handshake, at most
const LINGER = 1000; // milliseconds that a client has to close after the last reply

/** A session from the first byte to the last; returns the exit code of qmail-smtpd. */
export type RunSession = (ports: Ports, env: readonly string[]) => number | Promise<number>;

/** Serves the connections that tcpserver-sql hands over, each with ports and an environment of its own. */
export async function serveConnections(home: string, run: RunSession): Promise<number> {
  const c = native();
  if (!c) throw new Trouble("unable to serve connections: the C library cannot be called");
  libc().prepare("pipe2", "posix_spawn", "waitpid", "write", "read", "fcntl");
  resident();
  const counters = openCounters(home);
  let contexts: Contexts | undefined;
  const certify = (certificates: readonly Certificate[]) => {
    try {
      contexts = openContexts(certificates);
    } catch (error) {
      say(`qmail-smtpd: warning: ${reason(error)}`); // the old ones are used
    }
  };
  const serve = async ({ fd, env }: Handed): Promise<number> => {
    let client = await adopt(fd);
    counters.session();
    const startTls = async (reply: string, ms: number): Promise<TlsInfo | undefined> => {
      counters.replies(reply);
      const tls = await encrypt(client, contexts, reply, ms);
      counters.handshake(tls?.info.protocol ?? "failed");
      if (tls) client = tls.client;
      return tls?.info;
    };
    const ports: Ports = {
      now: Date.now,
      read: (ms) => client.read(ms),
      write(text, ms) {
        counters.replies(text);
        return client.write(text, ms);
      },
      isThere: () => client.isThere(),
      openQueue: (program, environment) => concurrentQueue(c, program, environment.entries()),
      pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      log: (line) => say(`qmail-smtpd: ${process.pid} ${line}`),
      ...(contexts && { startTls }),
    };
    try {
      return await run(ports, env);
    } catch (error) {
      say(`qmail-smtpd: fatal: ${reason(error)}`);
      return SOFT;
    } finally {
      await client.close(LINGER);
    }
  };
  const code = await serveHanded(serve, certify);
  await counters.close();
  return code;
}

async function encrypt(client: Adopted, contexts: Contexts | undefined, reply: string, ms: number) {
  client.discard(); // what a client, or somebody on the way, sent before TLS: CVE-2011-0411
  if (!contexts || (reply !== "" && !(await client.write(reply, ms)))) return undefined;
  return acceptTls(client, contexts, Math.min(HANDSHAKE, ms));
}
