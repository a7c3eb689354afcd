export { type Database, type Mode, type Row, Unavailable, type Value, type Version } from "./database.ts";
export { type Arguments, type Ask, columns, type Question, ROWS } from "./questions.ts";
export { toAliasRow, toAnyMailbox, toLogin, toMailbox, toVirtualRow } from "./records.ts";
export { relayStatements } from "./relay-statements.ts";
export { toBytes, toRow } from "./row.ts";
export { askBySchema, schemas } from "./schema.ts";
export { type Statement, statements } from "./statements.ts";
