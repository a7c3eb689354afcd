// A worker of tcpserver-sql that sends each client its environment and then what it receives, up to a "q". "x" makes it
// exit with code 7, and "crash" ends the whole process.
import { serveHanded } from "../../packages/edges/handover/worker.ts";
import { adopt } from "../../packages/edges/socket/adopted.ts";

const MINUTE = 60_000; // milliseconds

const code = await serveHanded(async ({ fd, env }) => {
  const client = await adopt(fd);
  await client.write(`${process.pid} ${JSON.stringify(env)}\n`, MINUTE);
  for (;;) {
    const bytes = await client.read(MINUTE);
    const text = bytes === "timeout" ? "" : Buffer.from(bytes).toString("latin1");
    if (text === "" || text.includes("q") || text.includes("x")) {
      await client.close(1000);
      return text.includes("x") ? 7 : 0;
    }
    if (text.includes("crash")) process.kill(process.pid, "SIGKILL");
    await client.write(text, MINUTE);
  }
});
process.exit(code);
