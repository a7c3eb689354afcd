export type { Blocked, BlocklistClient, CheckBlocklists } from "./blocked.ts";
export { checkBlocklists } from "./check.ts";
export { type BlockedSession, openBlockedSession } from "./session.ts";
export { type Blocklist, type BlocklistSettings, parseBlocklists } from "./settings.ts";
