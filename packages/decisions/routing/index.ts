export {
  AliasMisconfiguration,
  type AliasRow,
  ANY_EXTENSION,
  aliasKeys,
  chooseAliases,
  type FindAliases,
  programsWithoutPlace,
} from "./alias.ts";
export { like } from "./like.ts";
export { virtualPrefixes } from "./prefix.ts";
export {
  type Rewritten,
  rewrite,
  type SendControls,
  virtualDomainKeys,
  virtualDomains,
} from "./qmail-send.ts";
export { acceptRecipient, rcptHostKeys } from "./rcpthosts.ts";
export { rowText } from "./row-text.ts";
export { type Assigned, type Control, findAssigned, NoWildcards, ShortRecord } from "./users-cdb.ts";
export {
  choosePrefix,
  chooseVirtual,
  type FindVirtual,
  type FindVirtualHosts,
  isMagic,
  MAGIC_USER,
  magicTarget,
  VirtualMisconfiguration,
  type VirtualRow,
} from "./virtual.ts";
