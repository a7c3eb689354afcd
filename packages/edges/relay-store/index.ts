export {
  openRelayAnswers,
  openRelayStore,
  type RelayDatabase,
  readRelayDatabase,
  readSql,
  relaySqldPath,
  sqlControlFile,
} from "./open.ts";
export { type RelayStore, relayStoreOver } from "./relay-store.ts";
