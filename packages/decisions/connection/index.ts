export {
  type AgainAnswer,
  type AgainPorts,
  type DecideAgain,
  decideAgain,
  type NamedClient,
} from "./again.ts";
export { baseEnvironment, type Connection, childEnvironment, type Endpoint } from "./environment.ts";
export { type Client, NO_RULE, type Rule, ruleFor } from "./rules.ts";
