export { openAccountCache } from "./account-cache.ts";
export { homeOwner } from "./home-owner.ts";
export { memoryLimit } from "./memory.ts";
export { perlCrypt } from "./perl-crypt.ts";
export { awaitSystemAccounts, findSystemAccounts, type PasswdEntry } from "./system-accounts.ts";
export { systemCrypt } from "./system-crypt.ts";
export { findSystemLogin } from "./system-login.ts";
