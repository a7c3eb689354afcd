export {
  isWorldReadable,
  openDatabase,
  openStore,
  openTables,
  readSqlServer,
  sqliteFile,
  sqlServerFile,
} from "./open.ts";
export { openPool, type Pool } from "./pool.ts";
export { poolServers } from "./pool-servers.ts";
export { openSite, type Site } from "./site.ts";
export { type Store, storeOver } from "./store.ts";
export type { Tables } from "./tables.ts";
