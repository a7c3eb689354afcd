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
  const rcptVariables = (session: Session, { address }: Candidate) => ({
    SMTPHELOHOST: session.helo ?? session.client.host,
    SMTPMAILFROM: session.transaction?.sender ?? "",
    SMTPRCPTTO: address,
    SMTPRCPTCOUNT: String(state.accepted),
    SMTPRCPTCOUNTALL: String(state.all),
  });
  const hooks: Extension = {
    atStart: (session) => runAll(state, session, "c", { variables: {} }),
    atHelo: (session, name) => runAll(state, session, "h", { variables: { SMTPHELOHOST: name } }),
    atMail(session, candidate) {
      [state.accepted, state.all] = [0, 0];
      const SMTPHELOHOST = session.helo ?? session.client.host;
      const variables = { SMTPHELOHOST, SMTPMAILFROM: candidate.address };
      return errorFor(state, "M") ?? runAll(state, session, "m", { variables, candidate });
    },
    atRcpt(session, candidate) {
      state.all++;
      const SMTPRCPTHOSTSOK = candidate.isAllowed ? "1" : "0";
      const variables = { ...rcptVariables(session, candidate), SMTPRCPTHOSTSOK };
      return errorFor(state, "R") ?? runAll(state, session, "r", { variables, candidate });
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
      const subject = { variables: rcptVariables(session, candidate), candidate };
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

/** Runs the plug-ins of an event; returns the reply of one that refuses. */
function* runAll(state: State, session: Session, event: PluginEvent, subject: Subject): Answer {
  for (const program of state.configured[event]) {
    if (state.isOff) return undefined;
    yield* flush(session);
    const end = yield* ask(() => state.run(program, session.environment, subject.variables));
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
  { candidate }: Subject,
): { readonly reply: string | undefined } | undefined {
  const [command, text] = [line[0], line.slice(1)];
  switch (command) {
    case "A":
      state.isOff = true;
      return { reply: undefined };
    case "N":
      return { reply: undefined };
    case "O":
      if (candidate) candidate.isAllowed = true;
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
      if (candidate) candidate.address = text;
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
  readonly candidate?: Candidate;
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
