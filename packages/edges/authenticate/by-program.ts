import type { AuthenticateClient, LoginAnswer, LoginAttempt } from "@qmail-mysql/accounts";
import { spawnWithFd3 } from "@qmail-mysql/process";
import { MISUSED, OK, reason, SOFT } from "@qmail-mysql/trouble";
import { nulEnded } from "@qmail-mysql/wire";
import { hasNul } from "./nul.ts";

const LIMIT = 60_000; // milliseconds

/**
 * Checks logins with a program of the checkpassword interface and the program that it runs, such as `checkpassword true`.
 * It reads login, password and challenge from descriptor 3, and gets the environment of the session; its descriptors 0
 * and 1 are /dev/null, since those of the caller may be the connection to the client.
 */
export function authenticateByProgram(argv: readonly string[], limit = LIMIT): AuthenticateClient {
  return async (attempt) => {
    try {
      return await run(argv, attempt, limit);
    } catch (error) {
      return { trouble: reason(error) };
    }
  };
}

async function run(argv: readonly string[], attempt: LoginAttempt, limit: number): Promise<LoginAnswer> {
  const { login, password, challenge, environment } = attempt;
  if (hasNul(attempt)) return { refused: "wrong password" };
  const input = nulEnded([login, password, challenge]);
  const stdio = ["ignore", "ignore", 2] as const;
  const { code, signal, isLate } = await spawnWithFd3({ argv, input, stdio, environment, limit });
  const [program = ""] = argv;
  if (isLate) return { trouble: `unable to run ${program}: no verdict within ${limit / 1000} seconds` };
  if (code === OK) return { accepted: { login, user: undefined } };
  if (signal !== null) return { trouble: `unable to run ${program}: it was killed by ${signal}` };
  // checkpassword(8): 1 unacceptable, 2 misused, 111 temporary. Others are those of programs that refuse with their own.
  if (code === SOFT || code === MISUSED) return { trouble: `unable to run ${program}: it exited ${code}` };
  return { refused: code === 1 ? "wrong password" : `exit ${code}` };
}
