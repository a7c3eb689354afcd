import { ControlError, type SqlServer } from "@qmail-mysql/control";
import { type EsmtpSettings, parsePlugins, parseSmtpd } from "@qmail-mysql/esmtp";
import { findSystemAccounts } from "@qmail-mysql/system";
import { whyUnaskable } from "../edge/database-access.ts";
import { type Identity, withIdsOf } from "../edge/effective-ids.ts";
import { bytesOf, exists, statIfPresent } from "../edge/files.ts";
import { word } from "../output/shell.ts";
import { checkCertificates } from "./certificates.ts";
import { lineFix } from "./line-fix.ts";
import type { Problem } from "./rows/problem.ts";

const ACCOUNT = "qmaild"; // conf-users of qmail: qmail-smtpd runs as it
const TIMEOUT = 5; // seconds
const MANUAL = "qmail-smtpd(8)";

/** control/submission is for port 587. */
const ESMTP = ["smtpd", "submission"];
const PLUGINS = "smtpplugins";

/** Checks the control files of qmail-smtpd that stock does not know, and its certificates. */
export function* checkSmtpd(home: string): Generator<Problem> {
  for (const name of ESMTP) yield* checkEsmtp(home, `${home}/control/${name}`);
  yield* checkPlugins(home, `${home}/control/${PLUGINS}`);
  yield* checkCertificates(home, account());
}

/** Checks that qmail-smtpd can ask what these files make it ask. */
export function* checkSmtpdAccess(home: string, config: SqlServer): Generator<Problem> {
  const who = account();
  if (!who) return;
  for (const name of ESMTP) {
    const what = `${home}/control/${name}`;
    const settings = settingsIn(what);
    if (!settings || !asks(settings)) continue;
    const why = withIdsOf(who, () => whyUnaskable(home, config));
    if (why === undefined) continue;
    const problem = `makes qmail-smtpd ask the database, and ${ACCOUNT} cannot (${why}): its clients are asked to try later`;
    yield {
      what,
      problem,
      fix: exists(`${home}/control/sqld`)
        ? `let ${ACCOUNT} use the socket of qmail-sqld`
        : "qmail-mysql init --sqld, and start qmail-sqld",
    };
  }
}

function account(): Identity | undefined {
  return findSystemAccounts([ACCOUNT], TIMEOUT)[0];
}

const asksSqld = ({ auth, authProgram }: EsmtpSettings) => auth.length > 0 && authProgram.length === 0;
const asks = (settings: EsmtpSettings) =>
  asksSqld(settings) || settings.recipientCheck || settings.senderCheck;

/** Undefined if there is no such file, or it is invalid. */
function settingsIn(file: string): EsmtpSettings | undefined {
  try {
    return statIfPresent(file) && parseSmtpd(bytesOf(file), file, () => {});
  } catch (error) {
    if (error instanceof ControlError) return undefined;
    throw error;
  }
}

function* checkEsmtp(home: string, file: string): Generator<Problem> {
  if (!statIfPresent(file)) return;
  const warnings: string[] = [];
  let settings: EsmtpSettings;
  try {
    settings = parseSmtpd(bytesOf(file), file, (line) => warnings.push(line));
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    const problem = `${error.message.replace(`${file} `, "")}: qmail-smtpd refuses all mail`;
    yield { what: file, problem, fix: lineFix(file, error.message, MANUAL) };
    return;
  }
  for (const warning of warnings) {
    yield { what: file, problem: warning.replace(`${file} `, ""), fix: lineFix(file, warning, MANUAL) };
  }
  if (asksSqld(settings) && !exists(`${home}/control/sqld`)) {
    yield {
      what: file,
      problem: "AUTH needs qmail-sqld, or a checkpassword program: every login is asked to try later",
      fix: `echo auth_program ${home}/bin/checkpassword true >>${word(file)} # or start qmail-sqld`,
    };
  }
  const [program] = settings.authProgram;
  if (program?.includes("/") && !isExecutable(home, program)) {
    yield {
      what: file,
      problem: `auth_program ${program} is not a program: every login is asked to try later`,
      fix: keyFix(file, "auth_program"),
    };
  }
  const { xclientRules } = settings;
  if (xclientRules !== undefined && !exists(below(home, xclientRules))) {
    yield {
      what: file,
      problem: `xclient_rules ${xclientRules} does not exist: the clients of the proxies are asked to try later`,
      fix: keyFix(file, "xclient_rules"),
    };
  }
}

const keyFix = (file: string, key: string) =>
  `sed -i ${word(`/^[ \\t]*${key}/d`)} ${word(file)} # correct or delete the line; see ${MANUAL}`;
const below = (home: string, path: string) => (path.startsWith("/") ? path : `${home}/${path}`);

function isExecutable(home: string, program: string): boolean {
  const stat = statIfPresent(below(home, program));
  return stat?.isFile() === true && (stat.mode & 0o111) !== 0;
}

function* checkPlugins(home: string, file: string): Generator<Problem> {
  if (!statIfPresent(file)) return;
  const text = bytesOf(file);
  const programs = new Set(Object.values(parsePlugins(text)).flat());
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.replace(/[ \t]+$/, "");
    const at = `line ${index + 1}`;
    const fix = lineFix(file, at, MANUAL);
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("[")) {
      if (!/^\[[chmrdap]/.test(line))
        yield {
          what: file,
          problem: `${at}: ${line} is no section of qmail-spp: its plug-ins are not run`,
          fix,
        };
    } else if (!programs.has(line)) {
      yield { what: file, problem: `${at}: ${line} is in no section of qmail-spp: it is not run`, fix };
    } else if (!line.startsWith(":") && !isExecutable(home, line)) {
      yield { what: file, problem: `${at}: ${line} is not a program: qmail-smtpd replies with 451`, fix };
    }
  }
}
