export { ask, drive, type Maybe, type Steps } from "@qmail-mysql/steps";
export { COMMANDS } from "./commands.ts";
export { End } from "./end.ts";
export { closeQueue, type Outgoing, openQueue, put } from "./enqueue.ts";
export { type Environment, environmentOf } from "./environment.ts";
export {
  type Answer,
  type Candidate,
  type Command,
  type Extension,
  type Reply,
  refusalOf,
} from "./extension.ts";
export { countByte, type Hops, newHops } from "./hops.ts";
export { dataBytesOf, timeoutOf } from "./number.ts";
export type { Ports, Queue, QueueEnd, TlsInfo } from "./ports.ts";
export { date822 } from "./received.ts";
export {
  GO_AHEAD,
  MAIL_FIRST,
  NO_QUEUE,
  OK,
  RCPT_FIRST,
  SYNTAX,
  TOO_BIG,
  UNIMPLEMENTED,
  UNREADABLE_CONTROLS,
} from "./replies.ts";
export { serve } from "./serve.ts";
export { clientOf, dataBytesFor, newSession, type Parts, type Session, type Transaction } from "./session.ts";
export type { Settings } from "./settings.ts";
export { flush, readLine, receive, say, sayAsIs } from "./stream.ts";
