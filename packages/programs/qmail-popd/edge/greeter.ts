import { offersApop, popTimeout } from "@qmail-mysql/control-files";
import { type Certificate, type Handed, serveHanded } from "@qmail-mysql/handover";
import { openDescriptors } from "@qmail-mysql/native";
import { type Attempt, authorize, LineInput, LOGIN_REPLIES } from "@qmail-mysql/pop3";
import { resident, say } from "@qmail-mysql/process";
import { type Adopted, adopt, Gone } from "@qmail-mysql/socket";
import { drive } from "@qmail-mysql/steps";
import { acceptTls, type Contexts, openContexts } from "@qmail-mysql/tls";
import { OK, REFUSED, reason, SOFT } from "@qmail-mysql/trouble";
import { fits, UNREAD_LIMIT } from "../packets.ts";
import type { Settings } from "../settings.ts";
import { readSettings } from "./configured.ts";
import { MonitorLink } from "./monitor-link.ts";
import { relay } from "./relay.ts";

const HANDSHAKE = 30_000; // milliseconds for a TLS handshake
const LINGER = 1000; // milliseconds that a client has to close after the last reply
const LOOPBACK = /^(127\.|::1$)/;
const MECHANISMS = ["PLAIN", "CRAM-MD5"] as const;

/** What the sessions of a greeting worker share. */
interface Door {
  readonly hostname: string;
  readonly settings: Settings;
  readonly isApop: boolean;
  readonly ms: number;
  readonly link: MonitorLink;
  contexts: Contexts | undefined;
}

/** Serves the clients that tcpserver-sql hands over up to their login, without privileges. */
export function greet(hostname: string): Promise<number> {
  resident();
  const settings = readSettings();
  const [isApop, ms] = [offersApop("qmail-popd"), popTimeout("qmail-popd")];
  const door: Door = { hostname, settings, isApop, ms, link: new MonitorLink(), contexts: undefined };
  const certify = (certificates: readonly Certificate[]) => {
    try {
      door.contexts = openContexts(certificates);
    } catch (error) {
      say(`qmail-popd: warning: ${reason(error)}`); // the old ones are used
    }
  };
  const serve = async (handed: Handed): Promise<number> => {
    const greeting = new Greeting(door, handed.fd, handed.env, await adopt(handed.fd));
    try {
      return await greeting.serve();
    } catch (error) {
      if (error instanceof Gone) return REFUSED;
      say(`qmail-popd: fatal: ${reason(error)}`);
      return SOFT;
    } finally {
      await greeting.close();
    }
  };
  return serveHanded(serve, certify, (socket) => door.link.attach(socket));
}

let serial = 0;

/** A client up to its login. */
class Greeting {
  readonly #door: Door;
  readonly #fd: number;
  readonly #env: ReadonlyMap<string, string>;
  readonly #plain: Adopted;
  #client: Adopted;
  #isHanded = false;

  constructor(door: Door, fd: number, env: readonly string[], plain: Adopted) {
    this.#door = door;
    this.#fd = fd;
    this.#env = new Map(env.map((entry) => splitAt(entry, entry.indexOf("="))));
    this.#plain = plain;
    this.#client = plain;
  }

  get #isTls(): boolean {
    return this.#client !== this.#plain;
  }

  async serve(): Promise<number> {
    const { hostname, settings, isApop, ms } = this.#door;
    if (this.#env.has("POP3S") && !(await this.#startTls(""))) return REFUSED;
    const client = {
      read: () => this.#read(ms),
      write: (data: string | Uint8Array) => this.#write(data, ms),
    };
    const input = new LineInput(client.read);
    let over: Promise<void> | undefined;
    const isLocal = LOOPBACK.test(this.#env.get("TCPREMOTEIP") ?? "");
    const ending = await drive(
      authorize(client, input, {
        // Unique as in qmail-popup, where each session has a pid.
        timestamp: `<${++serial}${String(process.pid).padStart(7, "0")}.${Math.floor(Date.now() / 1000)}@${hostname}>`,
        offersApop: isApop,
        mechanisms: MECHANISMS,
        maySendPassword: () => settings.inClear || isLocal || this.#isTls,
        startTls: () =>
          this.#door.contexts && !this.#isTls ? (reply: string) => this.#startTls(reply) : undefined,
        authenticate: async (attempt) => {
          const { answer, over: ended } = await this.#login(attempt, input);
          if (answer !== "taken" && answer !== "over") return LOGIN_REPLIES[answer];
          over = ended;
          return undefined;
        },
      }),
    );
    await over;
    return ending === "served" ? OK : REFUSED;
  }

  async close(): Promise<void> {
    if (!this.#isHanded) await this.#client.close(LINGER);
  }

  async #startTls(reply: string): Promise<boolean> {
    const { contexts, ms } = this.#door;
    this.#plain.discard();
    if (!contexts || (reply !== "" && !(await this.#plain.write(reply, ms)))) return false;
    const tls = await acceptTls(this.#plain, contexts, HANDSHAKE);
    if (tls) this.#client = tls.client;
    return tls !== undefined;
  }

  /** The connection itself is handed over; with TLS, of which this process has the keys, one that it relays. */
  async #login({ user: login, pass: password, challenge }: Attempt, input: LineInput) {
    const refused = (answer: "refused" | "trouble") => ({ answer, over: Promise.resolve() });
    const [address, port] = [this.#env.get("TCPREMOTEIP") ?? "", this.#env.get("TCPLOCALPORT") ?? ""];
    const given = { id: 0, login, password, challenge, address, port };
    if (!fits(given)) return refused("refused");
    if (this.#isTls) return this.#loginByRelay({ ...given, unread: input.rest() });
    const unread = Buffer.concat([input.rest(), this.#plain.hold()]);
    if (unread.length > UNREAD_LIMIT) return refused("trouble");
    const judged = await this.#door.link.login({ ...given, unread }, this.#fd);
    if (judged.answer === "taken" || judged.answer === "over") {
      this.#isHanded = true;
      this.#plain.abandon();
    }
    return judged;
  }

  async #loginByRelay(request: Parameters<MonitorLink["login"]>[0]) {
    const descriptors = openDescriptors();
    const [own, theirs] = descriptors.streamPair();
    const judged = await this.#door.link.login(request, theirs);
    descriptors.close(theirs);
    if (judged.answer !== "taken" && judged.answer !== "over") {
      descriptors.close(own);
      return judged;
    }
    const relayed = relay(this.#client, await adopt(own), this.#door.ms);
    return { answer: judged.answer, over: relayed.then(() => judged.over) };
  }

  async #read(ms: number): Promise<Uint8Array> {
    const bytes = await this.#client.read(ms);
    if (bytes === "timeout") throw new Gone("timed out");
    return bytes;
  }

  async #write(data: string | Uint8Array, ms: number): Promise<void> {
    if (!(await this.#client.write(data, ms))) throw new Gone("gone");
  }
}

const splitAt = (entry: string, equals: number): [string, string] => [
  entry.slice(0, equals),
  entry.slice(equals + 1),
];
