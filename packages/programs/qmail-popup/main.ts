import { offersApop, popTimeout } from "@qmail-mysql/control-files";
import { type Attempt, authorize, credentials, err, LineInput, replyAfter } from "@qmail-mysql/pop3";
import { say, spawnWithFd3 } from "@qmail-mysql/process";
import { clientOn, Gone, leave, linger } from "@qmail-mysql/socket";
import { drive } from "@qmail-mysql/steps";
import { SOFT } from "@qmail-mysql/trouble";

const ALWAYS = 1; // exit code of stock qmail-popup after any session

/** qmail-popup hostname subprogram: gets a POP3 login and passes it to the subprogram. qmail-popup(8). */
export async function main([hostname, ...subprogram]: readonly string[]): Promise<number> {
  const client = clientOn(0, 1, 1, popTimeout("qmail-popup")); // what follows PASS is left for the subprogram
  try {
    if (hostname === undefined || subprogram.length === 0) {
      await client.write(err("usage: popup hostname subprogram"));
      return ALWAYS;
    }
    const authorization = {
      timestamp: `<${process.pid}.${Math.floor(Date.now() / 1000)}@${hostname}>`,
      offersApop: offersApop("qmail-popup"),
      mechanisms: [],
      maySendPassword: () => true,
      startTls: () => undefined,
      authenticate: (attempt: Attempt) => runSubprogram(subprogram, attempt),
    };
    const ending = await drive(authorize(client, new LineInput(client.read), authorization));
    if (ending !== "refused") return ALWAYS;
    await linger(0);
    return leave(ALWAYS);
  } catch (error) {
    if (error instanceof Gone) return leave(ALWAYS);
    throw error;
  }
}

/** The reply to send after the subprogram has ended; undefined if none. */
async function runSubprogram(subprogram: readonly string[], attempt: Attempt): Promise<string | undefined> {
  try {
    return replyAfter(
      await spawnWithFd3({ argv: subprogram, input: credentials(attempt), stdio: [0, 1, 2] }),
    );
  } catch (error) {
    say(`qmail-popup: warning: ${(error as Error).message}`);
    return replyAfter({ code: SOFT, signal: null });
  }
}
