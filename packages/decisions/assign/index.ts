export { AssignError, assignCompiler, compileAssign } from "./compile.ts";
