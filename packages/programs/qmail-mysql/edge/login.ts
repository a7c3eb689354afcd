import { dirname } from "node:path";
import { childProcess } from "@qmail-mysql/native";
import { self } from "@qmail-mysql/process";
import { reason, SOFT, Trouble } from "@qmail-mysql/trouble";
import { nulEnded } from "@qmail-mysql/wire";

const LIMIT = 60_000; // milliseconds

/**
 * Returns the exit code of the checkpassword beside this program for a login: 0 if it is accepted. Throws Trouble.
 */
export function tryLogin(name: string, password: string): number {
  const { file, args } = self([]);
  const program = `${dirname(args[0] ?? file)}/checkpassword`;
  // A shell moves descriptor 0 to 3, so that the login is passed through a pipe, not in an argument or a file.
  const result = childProcess().spawnSync(
    "/bin/sh",
    ["-c", 'exec "$1" /bin/true 3<&0 </dev/null', "sh", program],
    {
      input: Buffer.from(nulEnded([name, password, "0"]), "latin1"),
      stdio: ["pipe", "ignore", "inherit"],
      cwd: "/",
      timeout: LIMIT,
    },
  );
  if (result.error) throw new Trouble(`unable to run checkpassword: ${reason(result.error)}`);
  return result.status ?? SOFT;
}
