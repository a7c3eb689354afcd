import { closeSync } from "node:fs";
import type { Identity } from "@qmail-mysql/accounts";
import { hasControl, qmailHome } from "@qmail-mysql/control-files";
import { decodeOrder } from "@qmail-mysql/handover";
import { openDescriptors } from "@qmail-mysql/native";
import { resident, say } from "@qmail-mysql/process";
import { recordLogin } from "@qmail-mysql/relay-store/record-login";
import { inTurns, whenReady } from "@qmail-mysql/socket";
import { OK, reason } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";
import { type Answer, decodeLogin, encodeAnswer, type LoginRequest, PACKET_LIMIT } from "../packets.ts";
import { readSettings } from "./configured.ts";
import { openJudges } from "./judges.ts";
import { MailWorkers } from "./mail-workers.ts";

const TCPSERVER = 0; // the descriptor
const MOST_PENDING = 1000; // logins of one greeting worker that are being checked
const MOST_UNSENT = 5000; // answers that a greeting worker has not taken, after which it is given up
const RETRY = 10; // milliseconds until an answer is sent again to a worker whose socket is full

/**
 * The process with privileges: it takes logins from the greeting workers, each with its connection, asks whether they are
 * right, and passes the connection to a worker of the mailbox. It trusts no greeting worker and reads no connection.
 */
export async function monitor(maildir: string): Promise<number> {
  resident();
  process.chdir("/");
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => {}); // for tcpserver-sql; its end ends this too
  const served = new Monitor(maildir);
  await served.run();
  return OK;
}

class Monitor {
  readonly #home = qmailHome();
  readonly #settings = readSettings();
  readonly #descriptors = openDescriptors();
  readonly #judge = openJudges(this.#home, this.#settings.system);
  readonly #workers: MailWorkers;
  /** Sessions by user. */
  readonly #sessions = new Map<string, number>();
  #links = 0;
  #isClosed = false;
  #over: () => void = () => {};

  constructor(maildir: string) {
    this.#workers = new MailWorkers(this.#settings, this.#descriptors, maildir);
  }

  async run(): Promise<void> {
    const packet = Buffer.alloc(PACKET_LIMIT);
    const take = inTurns(() => {
      const got = this.#descriptors.poll(TCPSERVER, packet);
      if (got === "none") return false;
      if (!got) {
        this.#isClosed = true;
        unwatch();
        this.#endIfOver();
        return false;
      }
      const isWorker = decodeOrder(packet.toString("latin1", 0, got.length))?.kind === "monitor";
      for (const fd of got.fds) isWorker ? this.#link(fd) : closeSync(fd);
      return true;
    });
    const unwatch = whenReady(TCPSERVER, take);
    take();
    await new Promise<void>((resolve) => {
      this.#over = resolve;
    });
    this.#workers.close();
  }

  #endIfOver(): void {
    if (this.#isClosed && this.#links === 0) this.#over();
  }

  /** A greeting worker, at the other end of a socket. */
  #link(socket: number): void {
    this.#links++;
    let isOpen = true;
    let pending = 0;
    let unsent: Buffer[] = [];
    const packet = Buffer.alloc(PACKET_LIMIT);
    const close = (why?: string) => {
      if (!isOpen) return;
      if (why !== undefined) say(`qmail-popd: warning: a greeting worker ${why}: its socket is closed`);
      isOpen = false;
      unwatch();
      closeSync(socket);
      this.#links--;
      this.#endIfOver();
    };
    const flush = () => {
      while (isOpen && unsent[0] && this.#descriptors.send(socket, unsent[0], [])) unsent.shift();
      if (isOpen && unsent.length > MOST_UNSENT) close("takes no answers");
      if (isOpen && unsent.length > 0) setTimeout(flush, RETRY);
      else unsent = [];
    };
    const answer = (id: number, what: Answer) => {
      unsent.push(toBuffer(encodeAnswer(id, what)));
      if (unsent.length === 1 || unsent.length > MOST_UNSENT) flush();
    };
    const take = inTurns(() => {
      if (!isOpen) return false;
      const got = this.#descriptors.poll(socket, packet);
      if (got === "none") return false;
      const request = got && decodeLogin(packet.toString("latin1", 0, got.length));
      const [fd, ...more] = got?.fds ?? [];
      if (!request || more.length > 0) {
        got?.fds.forEach(closeSync);
        close(got && "sends what is no login");
        return false;
      }
      if (fd === undefined || pending >= MOST_PENDING) {
        got.fds.forEach(closeSync);
        answer(request.id, "trouble"); // without a descriptor, the limit on them is reached
        return true;
      }
      pending++;
      void this.#login(request, fd, (what) => answer(request.id, what)).finally(() => pending--);
      return true;
    });
    const unwatch = whenReady(socket, take);
    take();
  }

  async #login(request: LoginRequest, fd: number, answer: (what: Answer) => void): Promise<void> {
    let isTaken = false;
    try {
      const verdict = await this.#judge(request);
      if ("refused" in verdict) return answer("refused");
      const { user } = verdict.accepted;
      await this.#record(user, request);
      const count = this.#sessions.get(user) ?? 0;
      if (count >= this.#settings.perLogin) return answer("busy");
      this.#sessions.set(user, count + 1);
      isTaken = this.#serve(verdict.accepted, request, fd, () => {
        this.#leave(user);
        answer("over");
      });
      if (!isTaken) this.#leave(user);
      answer(isTaken ? "taken" : "trouble");
    } catch (error) {
      say(`qmail-popd: warning: ${reason(error)}`);
      answer("trouble");
    } finally {
      if (!isTaken) closeSync(fd);
    }
  }

  /** The relay table is written before the client is served, as by checkpassword. */
  async #record(user: string, { address, port }: LoginRequest): Promise<void> {
    if (!hasControl(this.#home, "sql")) return;
    await recordLogin(this.#home, "qmail-popd", { TCPREMOTEIP: address, TCPLOCALPORT: port, USER: user });
  }

  #serve(of: Identity, { unread }: LoginRequest, fd: number, over: () => void): boolean {
    const { uid, gid, user, home } = of;
    return this.#workers.serve({ uid, gid, user, home, unread }, fd, over);
  }

  #leave(user: string): void {
    const count = (this.#sessions.get(user) ?? 1) - 1;
    if (count === 0) this.#sessions.delete(user);
    else this.#sessions.set(user, count);
  }
}
