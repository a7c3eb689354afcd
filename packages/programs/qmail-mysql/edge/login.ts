import { dirname } from "node:path";
import { childProcess } from "@qmail-mysql/native";
import { self } from "@qmail-mysql/process";
import { reason, SOFT, Trouble } from "@qmail-mysql/trouble";
import { nulEnded } from "@qmail-mysql/wire";

const LIMIT = 60_000; // milliseconds

/**
 * What the checkpassword beside this program makes of a login: its exit code, 0 when it would have run the next
 * program. Throws Trouble.
 */
export function tryLogin(name: string, password: string): number {
  const { file, args } = self([]);
  const program = `${dirname(args[0] ?? file)}/checkpassword`;
  // A shell makes descriptor 3 of descriptor 0: the login is in no argument and in no file.
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
