import type { Credentials, Verdict } from "@qmail-mysql/accounts";
import { parsePublicLines } from "@qmail-mysql/control";
import { type Database, ROWS, type Row, type Value } from "@qmail-mysql/database";
import {
  type BlockingSocket,
  connectBlocking,
  connectUnix,
  isOurs,
  ownerOfSocket,
  type UnixConnection,
} from "@qmail-mysql/socket";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { fromText, netstring, netstringReader, nulEnded, nulFields } from "@qmail-mysql/wire";
import type { Site } from "./site.ts";
import { isSocketQuestion, type SocketQuestion, socketColumns, socketQuestions } from "./sqld-questions.ts";
import { storeOver, toMailbox } from "./store.ts";

/** qmail-sqld-protocol(7): no question and no answer is longer, in bytes. */
export const QUESTION_LIMIT = 16_384;
export const ANSWER_LIMIT = 1_048_576;

/** The version of the protocol that this qmail-sqld speaks, as a line of its settings; without one it is the first. */
export const PROTOCOL = "protocol 2";

/** Within how many seconds a login is judged: hashes wait for their turn, however short the database's timeout is. */
export const loginSeconds = (timeout: number) => Math.max(timeout, 30);

/** qmail-sqld's side of a connection, asked one question after another. Each answer is its fields. */
export interface Sqld {
  /** The fields of the answer, undefined for "none". Throws Trouble, also after `seconds` without an answer. */
  ask(question: string, fields: readonly Value[], seconds: number): Promise<string[] | undefined>;
  /** Ends the connection when the last answer on its way is here. */
  close(): void;
}

interface Asked {
  readonly resolve: (payload: string) => void;
  readonly reject: (error: Trouble) => void;
}

interface Link {
  send(bytes: string, seconds: number): Promise<string>;
  /** Ends it; answers on their way come first. */
  end(): void;
}

const trouble = (path: string, why: string) => new Trouble(`unable to ask qmail-sqld at ${path}: ${why}`);

/**
 * Whoever listens there says which user a root process becomes: throws unless it is root, we ourselves or the owner of
 * the socket's directory.
 */
function checkListener(listener: number | undefined, owner: number): void {
  if (listener === undefined || listener === owner || isOurs(listener)) return;
  throw new Error(`it runs as uid ${listener}, and its directory belongs to uid ${owner}`);
}

/** A question as it goes over the socket. Throws Trouble. */
function questionOf(path: string, question: string, fields: readonly Value[]): string {
  const payload = nulEnded([question, ...fields]);
  if (payload.length > QUESTION_LIMIT) throw trouble(path, "a question too long");
  return netstring(payload);
}

/** The fields of an answer, undefined for "none". Throws Trouble. */
function fieldsOf(path: string, answer: string): string[] | undefined {
  const rest = answer.slice(1);
  switch (answer[0]) {
    case "F": {
      const fields = nulFields(rest);
      if (!fields) throw trouble(path, "an answer without end");
      return fields;
    }
    case "N":
      return undefined;
    case "T":
      throw new Trouble(rest);
    default:
      throw trouble(path, "an answer that is none");
  }
}

/**
 * Connects at once and waits for each answer without an event loop, whose threads would cost a short run more
 * than the answer. Undefined where the runtime cannot. Throws Trouble.
 */
function sqldAtOnce(path: string, seconds: number): Sqld | undefined {
  const attempt = <T>(call: () => T): T => {
    try {
      return call();
    } catch (error) {
      throw trouble(path, reason(error));
    }
  };
  const socket = attempt(() => {
    const owner = ownerOfSocket(path);
    const connected = connectBlocking(path, seconds);
    if (connected) checkListener(connected.listener, owner);
    return connected;
  });
  if (!socket) return undefined;
  const reader = netstringReader(ANSWER_LIMIT);
  const answer = (socket: BlockingSocket, seconds: number): string => {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const chunk = attempt(() => socket.receive(end - performance.now()));
      if (chunk === "") throw trouble(path, "it closed the connection");
      const [payload] = attempt(() => reader.push(chunk));
      if (payload !== undefined) return payload;
    }
  };
  return {
    async ask(question, fields, seconds) {
      const bytes = questionOf(path, question, fields);
      attempt(() => socket.send(bytes));
      return fieldsOf(path, answer(socket, seconds));
    },
    close: () => socket.close(),
  };
}

/** Connects when asked, and again when asked after the connection was lost: good for a resident program, too. */
export function sqldAt(path: string): Sqld {
  let current: Promise<Link> | undefined;
  let closed = false;

  async function link(forget: () => void): Promise<Link> {
    const asked: Asked[] = [];
    const reader = netstringReader(ANSWER_LIMIT);
    let connection: UnixConnection | undefined;
    let lost: string | undefined;
    const lose = (why: string) => {
      lost ??= why;
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
              if (!first) throw new Error("an answer to no question");
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
          // An answer that comes later would be taken for another's: the connection goes with it.
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

  /** The connection there is, or a new one. */
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

// Seconds for its settings, which it knows without its database, and for each answer beyond its own limit.
const AT_ONCE = 5;
const GRACE = 1;

/** The store and the settings behind the socket at `path`, for a program that `stays` or for a single run. */
export async function openSqld(path: string, stays: boolean): Promise<Site> {
  const sqld = (stays ? undefined : sqldAtOnce(path, AT_ONCE)) ?? sqldAt(path);
  const lines = (await sqld.ask("settings", [], AT_ONCE)) ?? [];
  const settings = parsePublicLines(
    lines.filter((line) => line !== PROTOCOL),
    `qmail-sqld at ${path}`,
  );
  const database = sqldDatabase(sqld, settings.timeout + GRACE);
  return {
    store: storeOver(database, settings.funkyQueries),
    settings,
    sqld: { ...sqld, takesClient: lines.includes(PROTOCOL) },
  };
}

/** Where the client is that logs in, as tcpserver's environment says: its address, and the port it connected to. */
export interface LoginClient {
  readonly address: string;
  readonly port: string;
}

/** qmail-sqld, of whatever version. */
export interface AnySqld extends Sqld {
  /** It takes a LoginClient. */
  readonly takesClient: boolean;
}

/** qmail-sqld's verdict about a login; "unknown" means that no mailbox has it. Throws Trouble. */
export async function askVerdict(
  sqld: AnySqld,
  { login, password, challenge }: Credentials,
  { address, port }: LoginClient,
  timeout: number,
): Promise<Verdict> {
  const fields = [login, password, challenge, ...(sqld.takesClient ? [address, port] : [])];
  const answer = await sqld.ask("authenticate", fields, loginSeconds(timeout) + GRACE);
  if (!answer) return { refused: "unknown" };
  const [verdict, user = "", uid = "", gid = "", home = "", shell = ""] = answer;
  if (verdict === "refused") return { refused: user === "suspended" ? "suspended" : "wrong password" };
  if (verdict !== "accepted" || shell === "") throw new Trouble("unable to use qmail-sqld's verdict");
  // The same scrutiny as a row of the database gets: this is whom a root process is to become.
  const { username, ...checked } = toMailbox({ username: user, uid, gid, home });
  if (checked.uid === 0 || checked.gid === 0)
    throw new Trouble("unable to use qmail-sqld's verdict: a uid or gid of 0");
  return { accepted: { user: username, uid: checked.uid, gid: checked.gid, home: checked.home, shell } };
}

/** Tells qmail-sqld what became of a login that no mailbox has: it delays who guesses, and keeps the log. */
export async function tellVerdict(
  sqld: AnySqld,
  login: string,
  verdict: Verdict,
  { address, port }: LoginClient,
  timeout: number,
): Promise<void> {
  if (!sqld.takesClient) return;
  const word = "accepted" in verdict ? "accepted" : verdict.refused;
  await sqld.ask("recordVerdict", [login, word, address, port], timeout + GRACE);
}

/** The questions, asked of qmail-sqld. Those that are not of its protocol are trouble. */
export function sqldDatabase(sqld: Sqld, seconds: number): Pick<Database, "ask" | "close"> {
  return {
    async ask(question, values) {
      if (!isSocketQuestion(question)) {
        throw new Trouble("unable to ask this through qmail-sqld: it is no question of its protocol");
      }
      const { fields }: SocketQuestion = socketQuestions[question];
      const found: Row[] = [];
      for (const each of fields(values.map(fromText))) {
        const answer = await sqld.ask(question, each, seconds);
        found.push(...toRows(answer ?? [], socketColumns(question)));
      }
      return found;
    },
    close: async () => sqld.close(),
  };
}

function toRows(fields: readonly string[], columns: readonly string[]): Row[] {
  if (fields.length % columns.length !== 0)
    throw new Trouble("unable to use qmail-sqld's answer: wrong width");
  if (fields.length >= ROWS * columns.length)
    throw new Trouble("unable to use qmail-sqld's answer: too many rows");
  const rows: Row[] = [];
  for (let at = 0; at < fields.length; at += columns.length) {
    const row: Record<string, string> = {};
    columns.forEach((column, i) => {
      row[column] = fields[at + i] ?? "";
    });
    rows.push(row);
  }
  return rows;
}
