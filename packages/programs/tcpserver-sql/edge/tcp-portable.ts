import { spawn } from "node:child_process";
import { accessSync, constants, readSync, statSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { constants as os } from "node:os";
import { pathSearch } from "@qmail-mysql/native";
import { errno } from "@qmail-mysql/trouble";
import { formatIp, type Ip, parseIp, toText } from "@qmail-mysql/wire";
import type { Accepted, Spawn, TcpListener, TcpSystem } from "./tcp-system.ts";

const MAX_WAITING = 1024; // connections that wait for a child to end, in addition to the system's backlog

/** TCP by the runtime. */
export function portableTcp(): TcpSystem {
  const sockets = new Map<number, Socket>();
  let onEnd: (pid: number, status: number) => void = () => {};
  return {
    listen: (ip, port) => listen(ip, port, sockets),
    spawner: (argv) => spawner(argv, sockets, (pid, status) => onEnd(pid, status)),
    watchChildren: (callback) => {
      onEnd = callback;
    },
    killIpOptions: () => {}, // not supported; by default Linux does not accept source-routed packets
    setNoDelay: (fd) => void sockets.get(fd)?.setNoDelay(true),
    receive(fd, most) {
      const bytes = Buffer.alloc(most);
      try {
        return bytes.toString("latin1", 0, readSync(fd, bytes, 0, most, null));
      } catch (error) {
        if (errno(error) === "EAGAIN") return undefined; // the runtime's sockets do not block
        throw error;
      }
    },
    close(fd) {
      sockets.get(fd)?.destroy();
      sockets.delete(fd);
    },
  };
}

function listen(ip: Ip, port: number, sockets: Map<number, Socket>): Promise<TcpListener> {
  const waiting: Socket[] = [];
  let onConnection = () => {};
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    if (waiting.length >= MAX_WAITING) return void socket.destroy();
    waiting.push(socket);
    onConnection();
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: formatIp(ip), port, ipv6Only: true }, () => {
      server.off("error", reject);
      const address = server.address();
      resolve({
        port: typeof address === "object" && address ? address.port : port,
        watch(callback) {
          onConnection = callback;
          callback();
        },
        accept() {
          for (;;) {
            const socket = waiting.shift();
            if (!socket) return undefined;
            const accepted = acceptedOf(socket);
            if (!accepted) continue; // the client has already disconnected
            sockets.set(accepted.fd, socket);
            return accepted;
          }
        },
        close() {
          server.close();
          for (const socket of waiting.splice(0)) socket.destroy();
        },
      });
    });
  });
}

function acceptedOf(socket: Socket): Accepted | undefined {
  const fd = (socket as unknown as { _handle?: { fd?: number } })._handle?.fd;
  const { remoteAddress = "", remotePort, localAddress = "", localPort } = socket;
  const [remote, local] = [parseIp(remoteAddress), parseIp(localAddress)];
  if (
    fd === undefined ||
    fd < 0 ||
    !remote ||
    !local ||
    remotePort === undefined ||
    localPort === undefined
  ) {
    socket.destroy();
    return undefined;
  }
  return {
    fd,
    remote: { ip: formatIp(remote), port: remotePort },
    local: { ip: formatIp(local), port: localPort },
  };
}

function spawner(
  argv: readonly string[],
  sockets: Map<number, Socket>,
  onEnd: (pid: number, status: number) => void,
): Spawn {
  const [program = "", ...args] = argv.map((arg) => toText(arg) ?? arg);
  return (entries, fd) => {
    const file = findProgram(argv[0] ?? "");
    const env: Record<string, string> = Object.create(null);
    for (const entry of entries) {
      const equals = entry.indexOf("=");
      if (equals > 0) env[entry.slice(0, equals)] = toText(entry.slice(equals + 1)) ?? "\ufffd";
    }
    const socket = sockets.get(fd) ?? fd;
    const child = spawn(file, args, { argv0: program, env, stdio: [socket, socket, 2] });
    child.on("error", () => {}); // already reported by the missing pid
    const { pid } = child;
    if (pid === undefined) throw Object.assign(new Error("spawn"), { code: "ENOEXEC" });
    child.on("exit", (code, signal) => onEnd(pid, signal ? os.signals[signal] : (code ?? 0) << 8));
    return pid;
  };
}

/** The file that execvp(3) would execute for a program, a byte string. Throws an error with errno. */
function findProgram(program: string): string {
  let failure: unknown = Object.assign(new Error(program), { code: "ENOENT" });
  for (const bytes of pathSearch(program)) {
    const file = toText(bytes) ?? bytes;
    try {
      if (!statSync(file).isFile()) throw Object.assign(new Error(file), { code: "EACCES" });
      accessSync(file, constants.X_OK);
      return file;
    } catch (error) {
      if (errno(failure) === "ENOENT") failure = error;
    }
  }
  throw failure;
}
