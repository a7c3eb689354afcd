export { compileRules, RuleError } from "./rules.ts";
