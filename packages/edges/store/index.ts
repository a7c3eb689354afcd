export {
  type Ask,
  type Database,
  type Mode,
  type Question,
  type Row,
  type Statement,
  schemas,
  statements,
  Unavailable,
  type Value,
  type Version,
} from "@qmail-mysql/database";
export { readControlFile } from "./control-file.ts";
export {
  isWorldReadable,
  openDatabase,
  openStore,
  openTables,
  readSqlServer,
  sqliteFile,
  sqlServerFile,
} from "./open.ts";
export { openPool, type Pool, poolServers } from "./pool.ts";
export { type RelayStore, relayStoreOver } from "./relay.ts";
export {
  openRelayAnswers,
  openRelayStore,
  type RelayDatabase,
  readRelayDatabase,
  readSql,
  relaySqldPath,
  sqlControlFile,
} from "./relay-open.ts";
export { openSite, type Site, sqldPath } from "./site.ts";
export {
  ANSWER_LIMIT,
  askVerdict,
  loginSeconds,
  PROTOCOL,
  QUESTION_LIMIT,
  sqldAt,
  tellVerdict,
} from "./sqld.ts";
export { isSocketQuestion, type SocketQuestion, socketColumns, socketQuestions } from "./sqld-questions.ts";
export { FOR_EVER } from "./sqld-relay.ts";
export { type Store, storeOver, toAliasRow, toMailbox, toVirtualRow } from "./store.ts";
export type { Tables } from "./tables.ts";
