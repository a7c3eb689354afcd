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

/** What plug-ins have told this session. */
interface State {
  readonly run: RunProgram;
  readonly configured: Plugins;
  /** No more of them is run. */
  isOff: boolean;
  accepted: number;
  all: number;
  /** Errors for every MAIL, RCPT or DATA until RSET. */
  readonly later: Readonly<Record<LaterAt, string[]>>;
}

/** Plug-ins of qmail-spp: programs that print commands, the first letter of each line. */
export function plugins(configured: Plugins, run: RunProgram): PluginHooks {
  const state: State = {
    run,
    configured,
    isOff: false,
    accepted: 0,
    all: 0,
    later: { M: [], R: [], D: [] },
  };
  const rcptVariables = () => ({
    SMTPRCPTCOUNT: String(state.accepted),
    SMTPRCPTCOUNTALL: String(state.all),
  });
  const hooks: Extension = {
    atStart: (session) => runAll(state, session, "c", { variables: {} }),
    atHelo: (session, name) => runAll(state, session, "h", { variables: { SMTPHELOHOST: name } }),
    atMail(session, candidate) {
      [state.accepted, state.all] = [0, 0];
      return (
        errorFor(state, "M") ??
        runAll(state, session, "m", { variables: {}, addressed: { candidate, variable: "SMTPMAILFROM" } })
      );
    },
    atRcpt(session, candidate) {
      const error = errorFor(state, "R");
      if (error !== undefined) return error;
      state.all++;
      const variables = { ...rcptVariables(), SMTPRCPTHOSTSOK: candidate.isAllowed ? "1" : "0" };
      return runAll(state, session, "r", { variables, addressed: { candidate, variable: "SMTPRCPTTO" } });
    },
    atData: (session) => errorFor(state, "D") ?? runAll(state, session, "d", { variables: {} }),
    atCommand(session, verb) {
      if (verb !== "rset") return undefined;
      session.header = "";
      for (const list of Object.values(state.later)) list.length = 0;
      return undefined;
    },
  };
  const last: Extension = {
    *atAllowedRcpt(session, candidate) {
      const subject = {
        variables: rcptVariables(),
        addressed: { candidate, variable: "SMTPRCPTTO" },
      } as const;
      const refusal = yield* runAll(state, session, "p", subject);
      if (refusal === undefined) state.accepted++;
      return refusal;
    },
  };
  return { hooks, last, afterLogin: (session) => runAll(state, session, "a", { variables: {} }) };
}

interface PluginHooks {
  readonly hooks: Extension;
  /** After all other checks. */
  readonly last: Extension;
  readonly afterLogin: (session: Session) => Answer;
}

const errorFor = ({ later }: State, when: LaterAt): string | undefined =>
  later[when].length === 0 ? undefined : later[when].join("\r\n");

/**
 * Runs the plug-ins of an event; returns the reply of one that refuses. The variables remain, for the plug-ins of later
 * events and for qmail-queue.
 */
function* runAll(state: State, session: Session, event: PluginEvent, subject: Subject): Answer {
  if (state.isOff) return undefined;
  for (const [name, value] of Object.entries(subject.variables)) session.environment.set(name, value);
  if (subject.addressed) setAddress(session, subject.addressed, subject.addressed.candidate.address);
  for (const program of state.configured[event]) {
    if (state.isOff) return undefined;
    yield* flush(session);
    const end = yield* ask(() => state.run(program, session.environment, {}));
    const failure = failureOf(end);
    if (failure) return `451 qmail-spp failure: ${program}: ${failure} (#4.3.0)`;
    for (const line of linesOf(end.output)) {
      const done = execute(state, session, line, subject);
      if (done) return done.reply;
    }
  }
  return undefined;
}

/** Executes a line; one that ends the chain has a result. */
function execute(
  state: State,
  session: Session,
  line: string,
  { addressed }: Subject,
): { readonly reply: string | undefined } | undefined {
  const [command, text] = [line[0], line.slice(1)];
  switch (command) {
    case "A":
      state.isOff = true;
      return { reply: undefined };
    case "N":
      return { reply: undefined };
    case "O":
      if (addressed) addressed.candidate.isAllowed = true;
      return { reply: undefined };
    case "E":
      return { reply: text };
    case "R":
      throw new End(1, text);
    case "D":
      throw new End(1);
    case "P":
      sayAsIs(session, text);
      break;
    case "H":
      session.header += `${text}\n`;
      break;
    case "C":
      if (addressed) setAddress(session, addressed, text);
      break;
    case "S":
      setVariable(session, text);
      break;
    case "U":
      session.environment.unset(text);
      break;
    case "L":
      state.later[text[0] as LaterAt]?.push(text.slice(1));
      break;
  }
  return undefined;
}

interface Subject {
  readonly variables: Readonly<Record<string, string>>;
  readonly addressed?: Addressed;
}

/** The address of MAIL or RCPT, which plug-ins can change, and the variable that has it. */
interface Addressed {
  readonly candidate: Candidate;
  readonly variable: "SMTPMAILFROM" | "SMTPRCPTTO";
}

function setAddress({ environment }: Session, { candidate, variable }: Addressed, address: string): void {
  candidate.address = address;
  environment.set(variable, address);
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
