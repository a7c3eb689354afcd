import { childProcess } from "@qmail-mysql/native";
import { toBuffer } from "@qmail-mysql/wire";
import { PERLS } from "./perl.ts";

const PROGRAM = "binmode STDIN; local $/; my ($p, $s) = split /\\0/, <STDIN>, -1; print crypt($p, $s) // ''";
const LIMIT = 30_000; // milliseconds; the most expensive hash that is accepted takes some seconds

/** crypt(3) called by perl, if libcrypt cannot be called; same contract. */
export function perlCrypt(password: string, setting: string): string | undefined {
  if (`${password}${setting}`.includes("\0")) return undefined;
  for (const perl of PERLS) {
    const { error, status, stdout } = childProcess().spawnSync(perl, ["-e", PROGRAM], {
      input: toBuffer(`${password}\0${setting}\0`), // not in argv, which all users can read
      env: {},
      stdio: ["pipe", "pipe", "ignore"],
      timeout: LIMIT,
      killSignal: "SIGKILL",
      maxBuffer: 4096,
      cwd: "/",
    });
    if (error || status !== 0) continue;
    const hashed = stdout.toString("latin1");
    return hashed === "" || hashed.startsWith("*") ? undefined : hashed;
  }
  return undefined;
}
