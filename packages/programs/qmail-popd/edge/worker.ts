import { accessSync, closeSync, constants } from "node:fs";
import { popTimeout } from "@qmail-mysql/control-files";
import { type Descriptors, libc } from "@qmail-mysql/native";
import { LineInput, LOGIN_REPLIES, serveMail } from "@qmail-mysql/pop3";
import { maildirAt, sha256 } from "@qmail-mysql/pop3-maildir";
import { checkMaildir, warning } from "@qmail-mysql/pop3-maildir/check";
import { becomeUser, say } from "@qmail-mysql/process";
import { ask, type Steps } from "@qmail-mysql/steps";
import { OK, SOFT } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";
import { decodeSession, encodeOver, PACKET_LIMIT, type Session } from "../packets.ts";
import { readSettings } from "./configured.ts";
import { type Connection, connectionOf } from "./connection.ts";
import { Loop } from "./loop.ts";

const LINGER = 1000; // milliseconds that a client has to close after the last reply
const MOST_OVER = 1000; // sessions whose end is reported at once

/** What a worker knows before it has an identity. */
export interface Prepared {
  readonly maildir: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly create: boolean;
}

/** Reads what the workers need, once for all of them. */
export function prepare(maildir: string): Prepared {
  libc().prepare(
    ...([
      "recv",
      "send",
      "shutdown",
      "close",
      "epoll_create1",
      "epoll_ctl",
      "epoll_wait",
      "setuid",
      "setgid",
    ] as const),
    ...(["open", "getdents64", "statx"] as const),
  );
  return { maildir, timeout: popTimeout("qmail-popd"), create: readSettings().create };
}

/**
 * The main loop of a worker. It irrevocably sets the uid and gid of its first session, and serves all its sessions, which
 * are of the same uid and gid. Ends when the monitor has closed the socket and the sessions have ended.
 */
export function worker(tasks: number, descriptors: Descriptors, prepared: Prepared): number {
  const packet = Buffer.alloc(PACKET_LIMIT);
  let identity: Pick<Session, "uid" | "gid"> | undefined;
  let loop: Loop | undefined;
  let isClosed = false;
  let over: number[] = [];
  let status = OK;

  const take = (got: ReturnType<Descriptors["poll"]>): boolean => {
    if (got === "none") return false;
    if (!got) {
      isClosed = true;
      loop?.unwatch(tasks);
      return false;
    }
    const session = decodeSession(packet.toString("latin1", 0, got.length));
    const [fd] = got.fds;
    if (!session) return true;
    if (fd === undefined) {
      over.push(session.id); // the limit on descriptors is reached
      return true;
    }
    if (!identity) {
      becomeUser(session.uid, session.gid);
      identity = session;
      loop = new Loop();
      loop.watch(tasks, () => {
        for (let count = 0; count < MOST_OVER && take(descriptors.poll(tasks, packet)); count++);
      });
    }
    if (session.uid !== identity.uid || session.gid !== identity.gid) {
      closeSync(fd);
      status = SOFT;
      isClosed = true;
      return false;
    }
    const begun = loop as Loop;
    begun.begin(
      fd,
      reported(serve(session, connectionOf(fd, begun, prepared.timeout), begun, fd, prepared), () =>
        over.push(session.id),
      ),
    );
    return true;
  };

  take(descriptors.receive(tasks, packet));
  loop?.run(() => {
    if (over.length > 0 && !isClosed) {
      const some = over.slice(0, MOST_OVER);
      if (descriptors.send(tasks, toBuffer(encodeOver(some)), [])) over = over.slice(some.length);
    }
    return isClosed && loop?.size === 0;
  });
  return status;
}

/** Calls back at the end of a routine, however it ends. */
function* reported(steps: Steps<void>, ended: () => void): Steps<void> {
  try {
    yield* steps;
  } finally {
    ended();
  }
}

function* serve(
  { user, home, unread }: Session,
  client: Connection,
  loop: Loop,
  fd: number,
  { maildir, create }: Prepared,
): Steps<void> {
  const path = maildir.startsWith("/") ? maildir : `${home}/${maildir}`;
  if (create && !isThere(path)) report(user, checkMaildir(path, true));
  if (!isThere(home)) {
    // checkpassword could not change to it
    yield* ask(() => client.write(LOGIN_REPLIES.trouble));
    say(warning("qmail-popd", user, `unable to change to ${home}`));
  } else {
    const ending = yield* serveMail(client, new LineInput(client.read, unread), maildirAt(path), sha256);
    if (ending !== "refused") return;
    report(user, checkMaildir(path, false));
  }
  // Closed with unread bytes the connection would be reset, and the reply lost.
  client.finish();
  const end = performance.now() + LINGER;
  while (performance.now() < end) {
    const bytes = yield* ask(() => {
      const some = client.read();
      loop.limit(fd, LINGER);
      return some;
    });
    if (bytes.length === 0) return;
  }
}

function report(user: string, problems: readonly string[]): void {
  for (const problem of problems) say(warning("qmail-popd", user, problem));
}

function isThere(path: string): boolean {
  try {
    accessSync(toBuffer(`${path}/`), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
