import { qmailHome } from "@qmail-mysql/control-files";
import { openLoginDelays } from "@qmail-mysql/fairness";
import { closeFd } from "@qmail-mysql/native";
import { given, resident, say, writeAll } from "@qmail-mysql/process";
import { sqldAt, sqldPath } from "@qmail-mysql/sqld-client";
import { Die, HARD, OK, reason, Trouble, Usage } from "@qmail-mysql/trouble";
import { found } from "./answer.ts";
import { readConfig } from "./config.ts";
import { descriptorLimit } from "./edge/descriptor-limit.ts";
import { notifySystemd } from "./edge/notify.ts";
import { type Listener, listen } from "./edge/server.ts";
import { refuseSecond, setSocketMode } from "./edge/socket-file.ts";
import { figure } from "./figures/figures.ts";
import { openSentCounters } from "./figures/sent.ts";
import {
  type Figure,
  fromFields,
  json,
  openLatencies,
  plain,
  prometheus,
  toFields,
} from "./figures/stats.ts";
import { openLoginCounts } from "./logins/counts.ts";
import { type Lasting, openService, type Service } from "./service.ts";
import type { Settings } from "./settings.ts";
import { openTroubles } from "./troubles.ts";

const USAGE = "qmail-sqld [-d fd] | qmail-sqld stats [--json | --prometheus]";
const SUN_PATH = 107; // maximum bytes of a socket's path: unix(7)
const STATS_WAIT = 5; // seconds

/** qmail-sqld: answers questions on the socket that control/sqld names. qmail-sqld(8). */
export async function main(args: readonly string[]): Promise<number> {
  const [first, second, ...rest] = args;
  if (first === "hash" && args.length === 1) return (await import("./edge/hasher.ts")).hasher();
  if (first === "stats" && rest.length === 0) return stats(second);
  resident();
  const notifyFd = first === "-d" ? Number(second) : undefined;
  if ((first !== undefined && first !== "-d") || (first === "-d" && !/^[1-9]\d{0,3}$/.test(second ?? ""))) {
    throw new Usage(HARD, USAGE);
  }
  if (rest.length > 0) throw new Usage(HARD, USAGE);
  if (process.getuid?.() === 0) throw new Die(HARD, "unable to run as root: start it with setuidgid");
  return serve(notifyFd);
}

async function serve(notifyFd: number | undefined): Promise<number> {
  const home = qmailHome();
  const path = socketPath(home);
  const started = performance.now();
  const lasting: Lasting = {
    latencies: openLatencies(),
    specials: { stats: () => found(toFields(figures())) },
    troubles: openTroubles(() => performance.now()),
    delays: openLoginDelays(() => performance.now()),
    counts: openLoginCounts(),
    sent: openSentCounters(),
    say: (line) => say(`qmail-sqld: ${line}`),
  };
  const open = (): { service: Service; clients: number; mode: number } => {
    const config = readConfig(home);
    const { socketMode: mode } = config.settings;
    return { service: openService(config, home, lasting), clients: clientLimit(config.settings), mode };
  };
  let { service, clients, mode } = open();
  const figures = (): Figure[] => [
    figure("up_seconds", "seconds since the start", "gauge", (performance.now() - started) / 1000),
    figure("clients", "open connections", "gauge", listener.clients()),
    ...Object.entries(listener.counts).map(([name, value]) =>
      figure(`clients_${name}`, CLIENT_HELP[name] ?? name, "counter", value),
    ),
    ...service.figures(),
    ...lasting.sent.figures(),
    ...lasting.latencies.figures(),
  ];

  await refuseSecond(path);
  process.umask(0o777); // no client can connect before the socket has its mode
  const { promise: over, resolve, reject } = Promise.withResolvers<number>();
  const failed = (error: unknown) => new Trouble(`unable to listen on ${path}: ${reason(error)}`);
  const opened = () => {
    setSocketMode(path, mode);
    process.umask(0o077);
    ready(notifyFd).catch(reject);
  };
  let listener: Listener;
  try {
    listener = listen(
      path,
      clients,
      (question, peer) => service.answers(question, peer),
      opened,
      (error) => reject(failed(error)),
    );
  } catch (error) {
    throw failed(error);
  }
  process.on("SIGHUP", () => {
    try {
      const old = service;
      ({ service } = open());
      old.close().catch(() => {});
    } catch (error) {
      say(
        `qmail-sqld: warning: ${error instanceof Error ? error.message : String(error)}: nothing is changed`,
      );
    }
  });
  process.on("SIGTERM", () => {
    listener
      .stop()
      .then(() => service.close())
      .then(() => resolve(OK), reject);
  });
  return over;
}

const OTHERS = 32; // descriptors of the runtime, the log, and files that are open temporarily

/** Maximum number of clients: the setting, reduced if the descriptors do not suffice. */
function clientLimit({ clients, connections, hashers }: Settings): number {
  const limit = descriptorLimit();
  const room = Math.max(1, limit - OTHERS - 2 * connections - 2 * hashers);
  if (room >= clients) return clients;
  say(`qmail-sqld: warning: ${room} clients at most, for the limit on descriptors is ${limit}`);
  return room;
}

const CLIENT_HELP: Readonly<Record<string, string>> = {
  accepted: "connections accepted",
  garbage: "connections closed after an invalid question",
  slow: "connections closed after a time limit",
  crowded: "connections closed to make room for another",
  greedy: "connections closed because of the memory of their questions and responses",
  refused: "connections refused because there were too many",
};

function socketPath(home: string): string {
  const path = sqldPath(home);
  if (path === undefined) throw new Trouble(`unable to read ${home}/control/sqld: file does not exist`);
  if (path.length > SUN_PATH) throw new Trouble(`unable to listen on ${path}: longer than ${SUN_PATH} bytes`);
  return path;
}

/** Notifies the supervisor, by the conventions of s6 and of systemd. */
async function ready(fd: number | undefined): Promise<void> {
  if (fd !== undefined && given(fd)) {
    writeAll(fd, "\n");
    closeFd(fd);
  }
  await notifySystemd("READY=1");
}

async function stats(form: string | undefined): Promise<number> {
  const write = { undefined: plain, "--json": json, "--prometheus": prometheus }[String(form)];
  if (!write) throw new Usage(HARD, USAGE);
  const sqld = sqldAt(socketPath(qmailHome()));
  const fields = (await sqld.ask("stats", [], STATS_WAIT)) ?? [];
  sqld.close();
  writeAll(1, write(fromFields(fields)));
  return OK;
}
