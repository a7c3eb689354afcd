import { type Descriptors, openDescriptors } from "@qmail-mysql/native";
import { inTurns, whenReady } from "@qmail-mysql/socket";
import { toBuffer } from "@qmail-mysql/wire";
import { type Answer, decodeAnswer, encodeLogin, type LoginRequest, PACKET_LIMIT } from "../packets.ts";

interface Asked {
  readonly answer: (answer: Answer) => void;
  readonly over: () => void;
}

/** The verdict about a login; `over` settles when the session that was taken has ended. */
export interface Judged {
  readonly answer: Answer;
  readonly over: Promise<void>;
}

const PAUSE = 5; // milliseconds between attempts to write to a full socket
const PATIENCE = 5000; // milliseconds

/** The monitor, as seen by a greeting worker. */
export class MonitorLink {
  readonly #descriptors: Descriptors = openDescriptors();
  readonly #asked = new Map<number, Asked>();
  #socket: number | undefined;
  #serial = 0;

  /** The socket of this worker to the monitor. */
  attach(socket: number): void {
    this.#socket = socket;
    const packet = Buffer.alloc(PACKET_LIMIT);
    const take = inTurns(() => {
      const got = this.#descriptors.poll(socket, packet);
      if (got === "none") return false;
      if (!got) {
        this.#socket = undefined;
        for (const { answer, over } of this.#asked.values()) {
          answer("trouble");
          over();
        }
        this.#asked.clear();
        unwatch();
        return false;
      }
      const told = decodeAnswer(packet.toString("latin1", 0, got.length));
      if (told) this.#take(told.id, told.answer);
      return true;
    });
    const unwatch = whenReady(socket, take);
    take();
  }

  #take(id: number, answer: Answer): void {
    const asked = this.#asked.get(id);
    if (!asked) return;
    if (answer !== "taken") this.#asked.delete(id);
    asked.answer(answer);
    if (answer === "over") asked.over();
  }

  /** Asks the monitor to serve a connection if its login is right. Never rejects. */
  async login(request: Omit<LoginRequest, "id">, fd: number): Promise<Judged> {
    const id = ++this.#serial;
    const packet = toBuffer(encodeLogin({ ...request, id }));
    const end = performance.now() + PATIENCE;
    let over: Promise<void> = Promise.resolve();
    const answer = await new Promise<Answer>((resolve) => {
      over = new Promise((settle) => this.#asked.set(id, { answer: resolve, over: settle }));
      const attempt = () => {
        if (this.#socket !== undefined && this.#descriptors.send(this.#socket, packet, [fd])) return;
        if (this.#socket !== undefined && performance.now() < end) return void setTimeout(attempt, PAUSE);
        this.#asked.delete(id);
        resolve("trouble");
      };
      attempt();
    });
    return { answer, over };
  }
}
