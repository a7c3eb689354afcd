import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** A recursive name server on port 53 of a separate address: dnsmasq(8), as root. */
export interface NameServer {
  readonly address: string;
  stop(): Promise<void>;
}

const byte = () => 1 + Math.floor(Math.random() * 250);

/** Starts dnsmasq with these options, which say what it knows; everything below example is its own, the rest refused. */
export async function startDnsmasq(options: readonly string[]): Promise<NameServer> {
  const address = `127.${byte()}.${byte()}.${byte()}`;
  const own = [
    "--no-daemon",
    "--conf-file=/dev/null",
    "--no-resolv",
    "--no-hosts",
    "--user=root",
    "--pid-file=",
  ];
  const at = [`--listen-address=${address}`, "--bind-interfaces", "--local=/example/", "--local-ttl=60"];
  const child: ChildProcess = spawn("/usr/sbin/dnsmasq", [...own, ...at, ...options], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said += chunk;
  });
  for (let i = 0; !said.includes("started"); i++) {
    if (i > 200 || child.exitCode !== null) throw new Error(`dnsmasq did not start: ${said}`);
    await sleep(50);
  }
  return {
    address,
    stop: () =>
      new Promise((resolve) => {
        child.on("exit", () => resolve());
        child.kill("SIGTERM");
      }),
  };
}
