import { connectUnix, ownerOfSocket, type UnixConnection } from "@qmail-mysql/socket";
import { reason, type Trouble } from "@qmail-mysql/trouble";
import { netstringReader } from "@qmail-mysql/wire";
import { ANSWER_LIMIT, checkListener, fieldsOf, questionOf, type Sqld, trouble } from "./protocol.ts";

interface Asked {
  readonly resolve: (payload: string) => void;
  readonly reject: (error: Trouble) => void;
}

interface Link {
  send(bytes: string, seconds: number): Promise<string>;
  /** Closes it after the last outstanding response. */
  end(): void;
}

/** Connects at the first question, and again after the connection was lost, so it is suited to resident programs. */
export function sqldAt(path: string): Sqld {
  let current: Promise<Link> | undefined;
  let closed = false;

  async function link(forget: () => void): Promise<Link> {
    const asked: Asked[] = [];
    const reader = netstringReader(ANSWER_LIMIT);
    let connection: UnixConnection | undefined;
    let lost: string | undefined;
    const lose = (why: string) => {
      if (lost !== undefined) return; // ending the connection closes it
      lost = why;
      forget();
      connection?.end();
      for (const { reject } of asked.splice(0)) reject(trouble(path, why));
    };
    const endWhenIdle = () => {
      if (closed && asked.length === 0) lose("it is closed");
    };
    const connect = async () => {
      const owner = ownerOfSocket(path);
      connection = await connectUnix(path, {
        data(chunk) {
          try {
            for (const payload of reader.push(chunk)) {
              const first = asked.shift();
              if (!first) throw new Error("a response without a question");
              first.resolve(payload);
            }
            endWhenIdle();
          } catch (error) {
            lose(reason(error));
          }
        },
        close: (error) => lose(error === undefined ? "it closed the connection" : reason(error)),
      });
      checkListener(connection.listener, owner);
      return connection;
    };
    const { write } = await connect().catch((error) => {
      forget();
      connection?.end();
      throw trouble(path, reason(error));
    });
    return {
      send: (bytes, seconds) =>
        new Promise((resolve, reject) => {
          if (lost !== undefined) return reject(trouble(path, lost));
          // A late response would be mistaken for that of another question, so the connection is closed.
          const timer = setTimeout(() => lose(`no answer within ${seconds} seconds`), seconds * 1000);
          const done =
            <T>(then: (value: T) => void) =>
            (value: T) => {
              clearTimeout(timer);
              then(value);
            };
          asked.push({ resolve: done(resolve), reject: done(reject) });
          write(bytes);
        }),
      end: endWhenIdle,
    };
  }

  /** The current connection or a new one. */
  function linked(): Promise<Link> {
    if (current) return current;
    const made: Promise<Link> = link(() => {
      if (current === made) current = undefined;
    });
    current = made;
    return made;
  }

  return {
    async ask(question, fields, seconds) {
      const bytes = questionOf(path, question, fields);
      return fieldsOf(path, await (await linked()).send(bytes, seconds));
    },
    close() {
      closed = true;
      current?.then(
        ({ end }) => end(),
        () => {},
      );
    },
  };
}
