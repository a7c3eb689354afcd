export { type AgainSettings, openDecideAgain } from "./decide-again.ts";
export { type FindRule, type OpenRules, rulesReader } from "./rules-file.ts";
