export { listEntries, morercpthostsKeys } from "./host-list.ts";
export { ControlError, keyValues, type Setting } from "./key-value.ts";
export { type Notify, parseSql, type RelaySql, type RelayTable } from "./sql.ts";
export {
  type DatabaseAddress,
  parsePublicLines,
  parseSqlServer,
  publicLines,
  type Server,
  type SiteSettings,
  type SqlServer,
  serverName,
} from "./sqlserver.ts";
