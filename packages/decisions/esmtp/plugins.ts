import {
  type Answer,
  ask,
  type Candidate,
  End,
  type Extension,
  flush,
  type Session,
  sayAsIs,
} from "@qmail-mysql/smtp";
import type { PluginEvent, Plugins } from "./plugin-config.ts";
import type { ProgramEnd, RunProgram } from "./programs.ts";

const NOT_RUN = 120; // exit code of a child of qmail-spp that cannot run the plug-in

const FAILURES: Readonly<Record<"crashed" | "not executed" | "no process", string>> = {
  crashed: "child crashed",
  "not executed": "can't execute",
  "no process": "vfork() failed",
};

type LaterAt = "M" | "R" | "D";

interface Later {
  readonly replies: string[];
  /** It was sent. As in qmail-spp, nothing is added then. */
  isSent: boolean;
}

/** The results of plug-ins in this session. */
interface State {
  readonly run: RunProgram;
  readonly configured: Plugins;
  /** No more of them is run. */
  isOff: boolean;
  accepted: number;
  all: number;
  /** Errors for every MAIL, RCPT or DATA until RSET or a message. */
  readonly later: Map<LaterAt, Later>;
}

/** Plug-ins of qmail-spp: programs that print commands, the first letter of each line. */
export function plugins(configured: Plugins, run: RunProgram): PluginHooks {
  const state: State = { run, configured, isOff: false, accepted: 0, all: 0, later: new Map() };
  const hooks: Extension = {
    atStart: (session) => runAll(state, session, "c"),
    atHelo(session, name) {
      session.environment.set("SMTPHELOHOST", name);
      return runAll(state, session, "h");
    },
    atMail(session, candidate) {
      const refusal = errorFor(state, "M");
      if (refusal !== undefined) return refusal;
      [state.accepted, state.all] = [0, 0];
      return runAll(state, session, "m", { variable: "SMTPMAILFROM", candidate });
    },
    atRcpt(session, candidate) {
      const refusal = errorFor(state, "R");
      if (refusal !== undefined) return refusal;
      state.all++;
      const { environment } = session;
      environment.set("SMTPRCPTCOUNT", String(state.accepted));
      environment.set("SMTPRCPTCOUNTALL", String(state.all));
      environment.set("SMTPRCPTHOSTSOK", candidate.isAllowed ? "1" : "0");
      return runAll(state, session, "r", { variable: "SMTPRCPTTO", candidate });
    },
    *atData(session) {
      const refusal = errorFor(state, "D") ?? (yield* runAll(state, session, "d"));
      if (refusal === undefined) state.later.clear();
      return refusal;
    },
    atCommand(session, verb) {
      if (verb !== "rset") return undefined;
      session.header = "";
      state.later.clear();
      return undefined;
    },
  };
  const last: Extension = {
    *atAllowedRcpt(session, candidate) {
      const refusal = yield* runAll(state, session, "p", { variable: "SMTPRCPTTO", candidate });
      if (refusal === undefined) state.accepted++;
      return refusal;
    },
  };
  return { hooks, last, afterLogin: (session) => runAll(state, session, "a") };
}

interface PluginHooks {
  readonly hooks: Extension;
  /** After all other checks. */
  readonly last: Extension;
  readonly afterLogin: (session: Session) => Answer;
}

function errorFor({ later }: State, when: LaterAt): string | undefined {
  const error = later.get(when);
  if (!error) return undefined;
  error.isSent = true;
  return error.replies.join("\r\n");
}

function addError({ later }: State, when: string | undefined, reply: string): void {
  if (when !== "M" && when !== "R" && when !== "D") return;
  const error = later.get(when) ?? { replies: [], isSent: false };
  if (!error.isSent) error.replies.push(reply);
  later.set(when, error);
}

/**
 * Runs the plug-ins of an event; returns the reply of one that refuses. As in qmail-spp, the variables stay in the
 * environment: for the plug-ins of later events and for qmail-queue.
 */
function* runAll(state: State, session: Session, event: PluginEvent, subject?: Subject): Answer {
  if (subject && !state.isOff) session.environment.set(subject.variable, subject.candidate.address);
  for (const program of state.configured[event]) {
    if (state.isOff) return undefined;
    yield* flush(session);
    const end = yield* ask(() => state.run(program, session.environment, {}));
    let done: Done | undefined;
    for (const line of linesOf(end.output)) done ??= execute(state, session, line, subject);
    const failure = failureOf(end);
    if (failure) return `451 qmail-spp failure: ${program}: ${failure} (#4.3.0)`;
    if (done?.isEnd) throw new End(0, done.reply); // the exit code of qmail-spp
    if (done) return done.reply;
  }
  return undefined;
}

/** What ends a chain of plug-ins. */
interface Done {
  readonly reply: string | undefined;
  readonly isEnd?: boolean;
}

/** Executes a line; one that ends the chain has a result. */
function execute(state: State, session: Session, line: string, subject?: Subject): Done | undefined {
  const [command, text] = [line[0], line.slice(1)];
  switch (command) {
    case "A":
      state.isOff = true;
      return { reply: undefined };
    case "N":
      return { reply: undefined };
    case "O":
      if (subject) subject.candidate.isExempt = true;
      return { reply: undefined };
    case "E":
      return { reply: text };
    case "R":
      return { reply: text, isEnd: true };
    case "D":
      return { reply: undefined, isEnd: true };
    case "P":
      sayAsIs(session, text);
      break;
    case "H":
      session.header += `${text}\n`;
      break;
    case "C":
      if (!subject) break;
      subject.candidate.address = text;
      session.environment.set(subject.variable, text);
      break;
    case "S":
      setVariable(session, text);
      break;
    case "U":
      session.environment.unset(text);
      break;
    case "L":
      addError(state, text[0], text.slice(1));
      break;
  }
  return undefined;
}

/** What an event is about, and the variable that tells it to the plug-ins. */
interface Subject {
  readonly variable: "SMTPMAILFROM" | "SMTPRCPTTO";
  readonly candidate: Candidate;
}

function failureOf({ code }: ProgramEnd): string | undefined {
  if (code === NOT_RUN) return FAILURES["not executed"];
  return typeof code === "string" ? FAILURES[code] : undefined;
}

/** The lines of its output. As in qmail-spp, a last line without LF loses its last byte, and one of one byte is none. */
function linesOf(output: string): string[] {
  const lines = output.split("\n");
  const rest = lines.pop() ?? "";
  return [...lines, rest.slice(0, -1)].filter((line) => line !== "");
}

function setVariable({ environment }: Session, text: string): void {
  const equals = text.indexOf("=");
  if (equals > 0) environment.set(text.slice(0, equals), text.slice(equals + 1));
}
