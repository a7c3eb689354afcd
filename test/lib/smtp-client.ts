import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

/** A client of an SMTP server that waits for each reply. */
export class SmtpClient {
  socket: Socket | TLSSocket;
  #text = "";
  #wake = () => {};
  isClosed = false;

  constructor(socket: Socket | TLSSocket) {
    this.socket = socket;
    this.use(socket);
  }

  use(socket: Socket | TLSSocket): void {
    this.socket = socket;
    socket.setEncoding("latin1").on("error", () => {});
    socket.on("data", (text: string) => {
      this.#text += text;
      this.#wake();
    });
    socket.on("close", () => {
      this.isClosed = socket === this.socket || this.isClosed;
      this.#wake();
    });
  }

  /** The next reply, all of its lines; "" at the end. Rejects after `ms` milliseconds. */
  async reply(ms = 60_000): Promise<string> {
    const end = performance.now() + ms;
    for (;;) {
      const found = /^(?:\d{3}-[^\n]*\n)*\d{3} [^\n]*\n/.exec(this.#text)?.[0];
      if (found !== undefined) {
        this.#text = this.#text.slice(found.length);
        return found.trimEnd();
      }
      if (this.isClosed) return "";
      const left = end - performance.now();
      if (left <= 0) throw new Error(`no reply within ${ms} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  ask(command: string): Promise<string> {
    this.socket.write(`${command}\r\n`, "latin1");
    return this.reply();
  }

  async message(to: string, body: string): Promise<string> {
    const replies = [await this.ask("MAIL FROM:<s@client.example>"), await this.ask(`RCPT TO:<${to}>`)];
    if (replies[1]?.startsWith("250")) replies.push(await this.ask("DATA"), await this.ask(`${body}\r\n.`));
    return replies.map((reply) => reply.slice(0, 3)).join(" ");
  }

  /** STARTTLS and the handshake. */
  async startTls(servername = ""): Promise<TLSSocket> {
    const reply = await this.ask("STARTTLS");
    if (!reply.startsWith("220")) throw new Error(`STARTTLS: ${reply}`);
    return this.encrypt(servername);
  }

  /** The handshake. */
  async encrypt(servername = ""): Promise<TLSSocket> {
    this.socket.removeAllListeners("data");
    const secure = connectTls({ socket: this.socket, servername, rejectUnauthorized: false });
    this.use(secure);
    await new Promise((resolve, reject) =>
      secure
        .on("secureConnect", resolve)
        .on("error", reject)
        .on("close", () => reject(new Error("closed"))),
    );
    return secure;
  }
}

/** Connects from an address; resolves before the greeting. */
export function connectSmtp(port: number, from = "127.0.0.1"): Promise<SmtpClient> {
  const socket = connectTcp({ port, host: "127.0.0.1", localAddress: from, noDelay: true });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => resolve(new SmtpClient(socket)));
  });
}
