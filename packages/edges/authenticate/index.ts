export { authenticateByProgram } from "./by-program.ts";
export { authenticateBySqld } from "./by-sqld.ts";
