import { createHash } from "node:crypto";
import { chownSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backends } from "../lib/databases.ts";
import { POP3_CHAIN, type PopServer, servePop, talk } from "../lib/pop-server.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const GID = 64100;

describe.skipIf(!isRoot).each(backends)(
  "a mailbox that is only in SQL, read by POP3, over $name",
  (backend) => {
    const world = makeWorld();
    const home = world.user("iain", UID, GID);
    const empty = world.user("empty", UID, GID);
    const REFUSED = "-ERR [AUTH] authorization failed\r\n";
    let server: PopServer;
    beforeAll(async () => {
      const message = join(home, "Maildir/new/1");
      writeFileSync(message, "Subject: hello\n\nbody\n");
      chownSync(message, UID, GID);
      utimesSync(message, 1_500_000_000, 1_500_000_000);
      rmSync(join(empty, "Maildir"), { recursive: true });
      backend
        .prepare(world)
        .sql(
          [
            mailboxRow({ name: "iain", uid: UID, home: home, gid: GID, password: "a secret" }),
            mailboxRow({ name: "empty", uid: UID, home: empty, gid: GID, password: "a secret" }),
            mailboxRow({ name: "off", uid: UID, home: home, gid: GID, password: "a secret", suspended: "Y" }),
          ].join("\n"),
        );
      server = await servePop(world, POP3_CHAIN);
    });
    afterAll(() => {
      server.stop();
      world.remove();
    });

    const session = async (user: string, password: string) => {
      const got = await talk(server.port, [`USER ${user}\r\nPASS ${password}\r\nRETR 1\r\nQUIT\r\n`]);
      return got.replace(/^\+OK <[^>]*>\r\n\+OK \r\n/, "");
    };

    test("the right password, the mail", async () => {
      expect(await session("iain", "a secret")).toBe(
        "+OK \r\n+OK \r\nSubject: hello\r\n\r\nbody\r\n\r\n.\r\n+OK \r\n",
      );
      renameSync(join(home, "Maildir/cur/1:2,"), join(home, "Maildir/new/1"));
    });

    test.each([
      ["iain", "a  secret"],
      ["iain", "a secret "],
      ["off", "a secret"],
      ["nobody-here", "a secret"],
    ])("%s with %j is refused", async (user, password) => {
      expect(await session(user, password)).toBe(REFUSED);
    });

    test("APOP", async () => {
      const got = await new Promise<string>((resolve, reject) => {
        let all = "";
        const socket = connect({ port: server.port, host: "127.0.0.1" });
        socket.on("error", reject);
        socket.on("data", (chunk) => {
          const timestamp = all === "" ? /<.*>/.exec(chunk.toString())?.[0] : undefined;
          all += chunk.toString("latin1");
          if (!timestamp) return;
          const digest = createHash("md5").update(`${timestamp}a secret`).digest("hex");
          socket.write(`APOP iain ${digest}\r\nSTAT\r\nQUIT\r\n`);
        });
        socket.on("end", () => resolve(all));
      });
      expect(got.replace(/<.*>/, "<>")).toBe("+OK <>\r\n+OK \r\n+OK 1 21\r\n+OK \r\n");
    });

    test("a database that does not answer is no wrong password", async () => {
      const working = readFileSync(join(world.home, "control/sqlserver"), "latin1");
      try {
        world.control("sqlserver", "server 127.0.0.1\nport 1\nlogin x\npassword x\ndb x\ntimeout 1\n");
        for (const password of ["a secret", "wrong"]) {
          expect(await session("iain", password)).toBe(
            "-ERR [SYS/TEMP] unable to check the password, try again later\r\n",
          );
        }
      } finally {
        world.control("sqlserver", working);
      }
    });

    test("a home without Maildir: the client hears it, the log says which", async () => {
      expect(await session("empty", "a secret")).toBe("-ERR this user has no $HOME/Maildir\r\n");
      expect(server.log()).toContain(
        `qmail-pop3d-helper: warning: user empty: ${empty}/Maildir does not exist\n`,
      );
    });
  },
);
