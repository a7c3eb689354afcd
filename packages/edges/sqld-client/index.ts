export { sqldAtOnce } from "./at-once.ts";
export { sqldDatabase } from "./database.ts";
export { sqldPath } from "./path.ts";
export {
  ANSWER_LIMIT,
  fieldsOf,
  loginSeconds,
  PROTOCOLS,
  QUESTION_LIMIT,
  type Sqld,
} from "./protocol.ts";
export { isSocketQuestion, type SocketQuestion, socketColumns, socketQuestions } from "./questions.ts";
export { FOR_EVER, sqldRecord, sqldRelay } from "./relay.ts";
export { sqldAt } from "./sqld.ts";
export { type AnySqld, askVerdict, tellVerdict } from "./verdict.ts";
