import type { DatabaseAddress, Server } from "@qmail-mysql/control";
import { type Database, type Mode, Unavailable } from "@qmail-mysql/database";
import { connectShareMs } from "@qmail-mysql/failover";
import { openMysql, Unreachable } from "./mysql.ts";

/**
 * Connects to the first server of the list that accepts. In mode "read" all questions together, including the time to
 * connect, have config.timeout seconds, and a question that fails because of the server is sent to the next servers.
 * Throws Trouble.
 */
export async function openInTurn(config: DatabaseAddress, mode: Mode): Promise<Database> {
  const { servers } = config;
  const end = performance.now() + config.timeout * 1000;

  /** Opens the first possible server from index `from` on. */
  const openFrom = async (from: number): Promise<{ database: Database; next: number }> => {
    const unreachable: string[] = [];
    for (let i = from; ; i++) {
      const connectMs = connectShareMs(end - performance.now(), servers.length - i);
      try {
        const limits = { connectMs, end: mode === "read" ? end : undefined };
        return { database: await openMysql(config, servers[i] as Server, mode, limits), next: i + 1 };
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        if (error instanceof Unreachable) unreachable.push(error.at);
        if (i + 1 < servers.length) continue;
        throw error instanceof Unreachable ? new Unreachable(unreachable.join("; ")) : error;
      }
    }
  };

  const first = await openFrom(0);
  if (mode !== "read" || first.next >= servers.length) return first.database;
  let { database, next } = first;
  let moving: Promise<void> | undefined;
  const move = async () => {
    database.close().catch(() => {});
    ({ database, next } = await openFrom(next));
  };
  const elsewhere = async <T>(ask: (database: Database) => Promise<T>): Promise<T> => {
    for (;;) {
      const asked = database;
      try {
        return await ask(asked);
      } catch (error) {
        const isLast = next >= servers.length || performance.now() >= end;
        if (!(error instanceof Unavailable) || (isLast && database === asked)) throw error;
        if (database !== asked) continue; // another question has already changed the server
        moving ??= move().finally(() => {
          moving = undefined;
        });
        await moving;
      }
    }
  };
  return {
    ask: (question, values) => elsewhere((one) => one.ask(question, values)),
    query: (statement, values) => elsewhere((one) => one.query(statement, values)),
    stream: (statement, values, each) => database.stream(statement, values, each),
    version: (tables) => elsewhere((one) => one.version(tables)),
    change: (statement, values) => database.change(statement, values),
    script: (sql) => database.script(sql),
    close: () => database.close(),
  };
}
