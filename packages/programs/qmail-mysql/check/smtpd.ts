import { ControlError } from "@qmail-mysql/control";
import { parseSmtpd } from "@qmail-mysql/esmtp";
import { bytesOf, exists, statIfPresent } from "../edge/files.ts";
import { word } from "../output/shell.ts";
import type { Problem } from "./rows/problem.ts";

/** Deletes the line that a message names. */
function lineFix(file: string, message: string): string {
  const line = /line (\d+)/.exec(message)?.[1];
  const see = "correct or delete the line; see qmail-smtpd(8)";
  return line === undefined ? see : `sed -i ${line}d ${word(file)} # ${see}`;
}

/** Checks the control files of qmail-smtpd that stock does not know, also a control/submission for port 587. */
export function* checkSmtpd(home: string): Generator<Problem> {
  for (const name of ["smtpd", "submission"]) yield* checkEsmtp(home, `control/${name}`);
}

function* checkEsmtp(home: string, name: string): Generator<Problem> {
  const file = `${home}/${name}`;
  if (!statIfPresent(file)) return;
  const warnings: string[] = [];
  let asksSqld = false;
  yield* problemsOf(file, () => {
    const { auth, authProgram } = parseSmtpd(bytesOf(file), file, (line) => warnings.push(line));
    asksSqld = auth.length > 0 && authProgram.length === 0;
  });
  for (const warning of warnings)
    yield { what: file, problem: warning.replace(`${file} `, ""), fix: lineFix(file, warning) };
  if (asksSqld && !exists(`${home}/control/sqld`)) {
    yield {
      what: file,
      problem: "AUTH needs qmail-sqld, or a checkpassword program: every login is asked to try later",
      fix: `echo auth_program ${home}/bin/checkpassword true >>${word(file)} # or start qmail-sqld`,
    };
  }
}

function* problemsOf(file: string, parse: () => void): Generator<Problem> {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    const problem = `${error.message.replace(`${file} `, "")}: qmail-smtpd refuses all mail`;
    yield { what: file, problem, fix: lineFix(file, error.message) };
  }
}
