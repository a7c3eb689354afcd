export { authenticateByProgram } from "./by-program.ts";
export { authenticateBySqld } from "./by-sqld.ts";
export { openOwnsSender } from "./owns-sender.ts";
