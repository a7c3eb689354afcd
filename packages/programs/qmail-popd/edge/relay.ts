import type { Adopted } from "@qmail-mysql/socket";

const LINGER = 1000; // milliseconds for what is still to be sent at the end

/** Passes bytes between a client and the worker of its mailbox until that ends the session; closes both. */
export async function relay(client: Adopted, worker: Adopted, ms: number): Promise<void> {
  const up = pass(client, worker, ms).then(() => worker.finish());
  await pass(worker, client, ms);
  await Promise.all([client.close(LINGER), worker.close(LINGER)]);
  await up;
}

async function pass(from: Adopted, to: Adopted, ms: number): Promise<void> {
  for (;;) {
    const bytes = await from.read(2 * ms); // the worker has the time limit of the session
    if (bytes === "timeout" || bytes.length === 0 || !(await to.write(bytes, ms))) return;
  }
}
