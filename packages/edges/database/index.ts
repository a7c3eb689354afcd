export { type Database, type Mode, Unavailable, type Version } from "./database.ts";
export type { Arguments, Ask, Question } from "./questions.ts";
export { columns, ROWS, toAliasRow, toAnyMailbox, toLogin, toMailbox, toVirtualRow } from "./records.ts";
export { relayStatements } from "./relay-statements.ts";
export { type Row, toBytes, toRow, type Value } from "./row.ts";
export { askBySchema, schemas } from "./schema.ts";
export { type Statement, statements } from "./statements.ts";
