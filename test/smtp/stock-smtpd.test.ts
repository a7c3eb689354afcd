import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { QMAILD } from "../lib/accounts.ts";
import { cdbOf } from "../lib/cdb.ts";
import { BIN } from "../lib/program.ts";
import { numbers } from "../lib/random.ts";
import {
  compileRecorder,
  runSessions,
  type SmtpClient,
  type SmtpResult,
  type SmtpSession,
  smtpRunner,
  type WorkerHow,
} from "../lib/smtp-pair.ts";
import { scripts } from "../lib/smtp-script.ts";
import { isRoot } from "../lib/world.ts";

// Beside a stock qmail-smtpd: STOCK_QMAIL=/its/home. SMTP_SESSIONS: how many in each test, SMTP_SEED: which ones.
const STOCK = process.env.STOCK_QMAIL ?? "";
const SEED = Number(process.env.SMTP_SEED ?? 1);
const count = (usual: number) => Number(process.env.SMTP_SESSIONS ?? usual);

const BATCH = 20; // sessions with the same control files

/** Every reply of stock that a client can cause, with the text of exit code 82 of the recorder below. */
const REPLIES = [
  "220 mx.example ESMTP",
  "220  ESMTP",
  "221 mx.example",
  "250 mx.example",
  "250-mx.example",
  "250-PIPELINING",
  "250 8BITMIME",
  "250 ok",
  "250 flushed",
  "250 ok N qp N",
  "252 send some mail, i'll try my best",
  "214 notqmail home page: https://notqmail.org",
  "354 go ahead",
  "421 unable to read controls (#4.3.0)",
  "451 See https://cr.yp.to/docs/smtplf.html.",
  "502 unimplemented (#5.5.1)",
  "503 MAIL first (#5.5.1)",
  "503 RCPT first (#5.5.1)",
  "552 sorry, that message size exceeds my databytes limit (#5.3.4)",
  "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
  "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)",
  "554 too many hops, this message is looping (#5.4.6)",
  "555 syntax error (#5.5.4)",
  "451 unable to exec qq (#4.3.0)",
  "451 qq crashed (#4.3.0)",
  "554 no viruses here",
  "451 come back later",
];

const SPECIAL = [
  "kill",
  "text 82 Dno viruses here",
  "text 82 Zcome back later",
  `text 82 D${"x".repeat(300)}`,
  "text 82 D",
  "text 31 Dignored",
  ...[1, 31, 53, 71, 100, 111].map((code) => `early ${code}`),
];

const CLIENTS: readonly SmtpClient[] = ["at once", "at once", "segments", "lockstep", "vanishes"];

/** How the nth qmail-queue ends: with every exit code, of which stock's text is compared, and in a special way. */
const ending = (n: number): string =>
  n % 2 === 0 ? (SPECIAL[(n >> 1) % SPECIAL.length] as string) : `exit ${1 + ((n >> 1) % 255)}`;

describe.skipIf(!isRoot || STOCK === "")("qmail-smtpd beside that of STOCK_QMAIL", () => {
  const dir = mkdtempSync(join(tmpdir(), "stock-smtpd-"));
  chmodSync(dir, 0o755); // a worker is not root
  let random = numbers(SEED);
  let nextScript = scripts(random);
  const one = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  let recorder: string;
  beforeAll(() => {
    recorder = compileRecorder(dir);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  /** The files of control/, the usual ones or a random choice. */
  function controls(nth: number): string {
    const control = mkdtempSync(join(dir, "control."));
    chmodSync(control, 0o755);
    const file = (name: string, text: string | Buffer) => writeFileSync(join(control, name), text, "latin1");
    const odd = nth % 2 === 1;
    const maybe = (name: string, usual: string | undefined, others: readonly (string | undefined)[]) => {
      const text = odd ? one([usual, ...others]) : usual;
      if (text !== undefined) file(name, text);
    };
    maybe("me", "mx.example\n", nth === 1 ? [] : ["mx.example", "mx.example \t\nsecond\n", undefined, ""]);
    maybe("smtpgreeting", undefined, ["\n", "mx.example\n", "mx.example text\t\n"]);
    maybe("localiphost", undefined, ["\n", "lip.example\n"]);
    maybe("rcpthosts", "ours.example\n.sub.example\n", [
      undefined,
      "",
      "# none\n\n",
      "OURS.Example  \n#x\n lead.example\n",
    ]);
    maybe("badmailfrom", "bad@ours.example\n@evil.example\n", [
      undefined,
      "",
      "@Other.example\nx@y@ours.example \n",
    ]);
    maybe("databytes", undefined, ["2000\n", "100", "abc\n", "0\n", "4294967295\n", "-1\n"]);
    maybe("timeoutsmtpd", undefined, ["abc\n", "0\n", "5\n"]);
    if (!odd || random(2) === 0)
      file(
        "morercpthosts.cdb",
        cdbOf([
          ["more.example", ""],
          [".more.example", "x"],
        ]),
      );
    if (nth % 20 === 7) file("morercpthosts.cdb", "not a cdb");
    if (nth % 20 === 9) {
      rmSync(join(control, "badmailfrom"), { force: true });
      mkdirSync(join(control, "badmailfrom"));
    }
    return control;
  }

  /** Its bodies may have NUL and bare CR only where stock queues them: see `expected`. */
  function session(n: number): SmtpSession {
    const env: Record<string, string> = { PATH: "/usr/bin:/bin", QMAIL_HOME: STOCK, QMAILQUEUE: recorder };
    const maybe = (name: string, values: readonly string[]) => {
      if (random(3) > 0) env[name] = one(values);
    };
    maybe("TCPREMOTEIP", ["192.0.2.1", "2001:db8::1", "", "x_y"]);
    maybe("TCPREMOTEHOST", ["client.example", "", "Client.Example", "a_b"]);
    if (random(3) === 0) env.TCPREMOTEINFO = one(["joe", "", "jo e", "\xe9"]);
    maybe("TCPLOCALHOST", ["mx.example", "", "\xe9"]);
    maybe("TCPLOCALIP", ["192.0.2.9"]);
    if (random(5) === 0) env.RELAYCLIENT = one(["", "@fix.example", "@\xe9"]);
    if (random(8) === 0)
      env.DATABYTES = one(["500", "4k", "", "abc", "-1", " 5", "0", "99999999999999999999"]);
    if (random(30) === 0) env.QMAILQUEUE = one(["", "/nonexistent", "bin/nothing", "/tmp"]);
    let pieces = nextScript();
    if (random(10) === 0) {
      const message = pieces.find(isMessage);
      if (message !== undefined) env.DATABYTES = String(storedSize(message) + random(3) - 1);
    }
    if (n % 4 === 3) env.QQ = ending(n >> 2);
    if (env.QQ !== undefined || env.QMAILQUEUE !== recorder) pieces = pieces.map(withoutStrayBytes);
    const client = one(CLIENTS);
    if (client === "segments") return { env, pieces: splitAnywhere(pieces.join("")), client };
    if (client === "at once" || !isOrderly(pieces)) return { env, pieces };
    if (client === "lockstep") return { env, pieces, client };
    const sent = pieces.slice(0, 1 + random(pieces.length));
    const last = sent.pop() ?? "";
    return { env, pieces: [...sent, random(2) === 0 ? last : last.slice(0, random(last.length))], client };
  }

  /** Is there one reply to each piece, so that a client can wait for it? */
  const isOrderly = (pieces: readonly string[]) =>
    pieces.every((piece) =>
      isMessage(piece)
        ? `\r\n${piece}`.indexOf("\r\n.\r\n") === piece.length - 3
        : piece.indexOf("\n") === piece.length - 1,
    );

  const isMessage = (piece: string) => piece.endsWith("\r\n.\r\n") || piece === ".\r\n";

  /** The bytes of a message that count: without the final dot and the dots that were added, and with LF. */
  const storedSize = (message: string) =>
    message.slice(0, -3).replaceAll("\r\n", "\n").replaceAll(/^\./gm, "").length;

  function splitAnywhere(text: string): string[] {
    const most = one([3, 40, 200, 2000]);
    const pieces: string[] = [];
    for (let at = 0; at < text.length; ) {
      const size = pieces.length > 500 ? text.length : 1 + random(most);
      pieces.push(text.slice(at, at + size));
      at += size;
    }
    return pieces;
  }

  /** Everything that stock has no notion of is configured; the client uses nothing of it. */
  const EXTENSIONS = `size yes
enhancedstatuscodes yes
chunking yes
auth plain login
auth_clear yes
auth_program /bin/false
starttls yes
`;
  const usesExtension = ({ pieces }: SmtpSession) =>
    /\b(AUTH|BDAT|STARTTLS|XCLIENT|SIZE=)/i.test(pieces.join(""));

  const withoutStrayBytes = (text: string) => text.replaceAll(/\0|\r(?!\n)/g, "?");

  /** Runs random sessions with both; returns those that differ after `same`, and the replies of stock. */
  async function compare(count: number, how: Comparison) {
    random = numbers(SEED + 1000 * how.nth);
    nextScript = scripts(random);
    const seen = new Set<string>();
    const different: unknown[] = [];
    const stock = smtpRunner(join(STOCK, "bin/qmail-smtpd"));
    const ours = smtpRunner(join(BIN, "qmail-smtpd"), how.worker);
    for (let done = 0; done < count; done += BATCH) {
      const sessions = Array.from({ length: BATCH }, (_, i) => session(done + i)).filter(
        (one) => !how.skips?.(one),
      );
      const control = controls(done / BATCH);
      for (const [name, text] of Object.entries(how.files ?? {})) writeFileSync(join(control, name), text);
      const mounts = { [`${STOCK}/control`]: control };
      const [theirs, our] = await Promise.all([stock.run(sessions, mounts), ours.run(sessions, mounts)]);
      for (const [i, one] of sessions.entries()) {
        const expected = comparable(theirs[i] as SmtpResult);
        if (one.client !== "vanishes") for (const reply of expected.replies) seen.add(reply);
        const result = comparable(our[i] as SmtpResult);
        const got = how.same(one.client === "vanishes" ? unread(result) : result);
        const allowed = outcomes(expected, one, how.worker !== undefined).map(how.same);
        if (!allowed.map((each) => JSON.stringify(each)).includes(JSON.stringify(got))) {
          different.push({ control, one, expected: allowed, got });
        }
      }
      if (different.length === 0) rmSync(control, { recursive: true });
    }
    await Promise.all([stock.close(), ours.close()]);
    return { seen, different };
  }

  /** What ours may do in a session of stock. A client that vanishes sees no reply, and may have its message refused. */
  function outcomes(theirs: Comparable, { client, pieces }: SmtpSession, isSocket: boolean): Comparable[] {
    const expected = withoutStray(theirs);
    if (client === "vanishes") {
      const { queued } = expected;
      const mayLack = isMessage(pieces.at(-1) ?? "") ? [queued, queued.slice(0, -1)] : [queued];
      return mayLack.map((queued) => unread({ ...expected, queued }));
    }
    return isSocket || (client ?? "at once") !== "at once" ? [expected, unanswered(expected)] : [expected];
  }

  const unread = ({ queued }: Comparable): Comparable => ({ queued, code: 0, errors: "", replies: [] });

  /** What stock would have said with the extensions on. */
  const stocksPart = ({ replies, ...rest }: Comparable): Comparable => ({
    ...rest,
    replies: replies
      .filter((reply) => !/^250-(SIZE|ENHANCEDSTATUSCODES|CHUNKING|AUTH|STARTTLS)/.test(reply))
      .map((reply) => reply.replace(/^(\d{3} )\d\.\d+\.\d+ /, "$1").replace(/ \(#[\d.]+\)$/, "")),
  });
  const extended = { files: { smtpd: EXTENSIONS }, skips: usesExtension };
  const worker = { uid: QMAILD, env: { QMAIL_HOME: STOCK } };

  test(`${count(400)} random sessions: the same bytes, the same messages in the queue`, async () => {
    const { seen, different } = await compare(count(400), { nth: 0, same: (result) => result });
    expect(different.slice(0, 3), `${different.length} differ`).toEqual([]);
    if (count(400) >= 400) expect(REPLIES.filter((reply) => !seen.has(reply))).toEqual([]);
  }, 3_600_000);

  test(`${count(100)} random sessions with the extensions on: the same to a client that uses none`, async () => {
    const { different } = await compare(count(100), { nth: 1, ...extended, same: stocksPart });
    expect(different.slice(0, 3), `${different.length} differ`).toEqual([]);
  }, 3_600_000);

  test(`${count(300)} random sessions in one process, a worker of tcpserver-sql: the same`, async () => {
    const same = (result: Comparable) => ({ ...result, errors: "" });
    const { different } = await compare(count(300), { nth: 2, worker, same });
    expect(different.slice(0, 3), `${different.length} differ`).toEqual([]);
  }, 3_600_000);

  test(`${count(300)} random sessions in one process with the extensions on`, async () => {
    const same = (result: Comparable) => ({ ...stocksPart(result), errors: "" });
    const { different } = await compare(count(300), { nth: 3, ...extended, worker, same });
    expect(different.slice(0, 3), `${different.length} differ`).toEqual([]);
  }, 3_600_000);

  /** Runs sessions with both. */
  const both = (sessions: readonly SmtpSession[], mounts: Readonly<Record<string, string>>) =>
    Promise.all(
      ["stock", "ours"].map(async (whose) => {
        const program = whose === "stock" ? join(STOCK, "bin/qmail-smtpd") : join(BIN, "qmail-smtpd");
        return (await runSessions(program, sessions, mounts)).map(comparable);
      }),
    );
  const inControl = (files: Readonly<Record<string, string>>) => {
    const control = mkdtempSync(join(dir, "control."));
    for (const [name, text] of Object.entries({ me: "mx.example\n", ...files }))
      writeFileSync(join(control, name), text);
    return { [`${STOCK}/control`]: control };
  };
  const env = () => ({ QMAIL_HOME: STOCK, QMAILQUEUE: recorder });
  const MESSAGE = ["MAIL FROM:<a@b>\r\n", "RCPT TO:<c@d>\r\n", "DATA\r\n", "Subject: x\r\n\r\nbody\r\n.\r\n"];

  test("clients that are too slow", async () => {
    const sessions = [
      ["HELO x\r\n", "NOOP\r\n"],
      ["NO", "OP\r\n"],
      [MESSAGE.join("").slice(0, -9), "body\r\n.\r\n"],
    ];
    const [stock, ours] = await both(
      sessions.map((pieces) => ({ env: env(), pieces, client: 1.7 })),
      inControl({ timeoutsmtpd: "1\n" }),
    );
    expect(stock?.map(({ replies, code }) => [replies.at(-2), code])).toEqual(
      Array(3).fill(["451 timeout (#4.4.2)", 1]),
    );
    expect(ours).toEqual(stock);
  });

  test("messages in a real queue", async () => {
    const queue = join(dir, "queue");
    execFileSync("cp", ["-a", join(STOCK, "queue"), queue]);
    const sessions = Array.from({ length: 20 }, () => ({
      env: { QMAIL_HOME: STOCK, TCPREMOTEIP: "192.0.2.1" },
      pieces: [...MESSAGE, withoutStrayBytes(nextScript().join(""))],
      queue: STOCK,
    }));
    const mounts = inControl({ rcpthosts: "d\nours.example\n" });
    const run = async (program: string) => {
      const copy = mkdtempSync(join(dir, "queue."));
      execFileSync("cp", ["-a", `${queue}/.`, copy]);
      const got = await runSessions(program, sessions, { ...mounts, [`${STOCK}/queue`]: copy });
      return got.map((one) => ({ ...one, queued: one.queued.map(withoutPid) })).map(comparable);
    };
    const [stock, ours] = await Promise.all([
      run(join(STOCK, "bin/qmail-smtpd")),
      run(join(BIN, "qmail-smtpd")),
    ]);
    expect(stock.filter(({ queued }) => queued.length > 0).length).toBeGreaterThan(15);
    expect(ours).toEqual(stock);
  });

  test.each<[string, string[], string, string]>([
    ["a bare RCPT", ["MAIL FROM:<a@b>\r\n", "RCPT\r\n"], "250 ok", "555 syntax error (#5.5.4)"],
    [
      "a RCPT without < and :",
      ["MAIL FROM:<a@b>\r\n", "RCPT c@d\r\n"],
      "250 ok",
      "555 syntax error (#5.5.4)",
    ],
    [
      "a bare CR",
      [...MESSAGE.slice(0, 3), "a\rb\r\n.\r\n"],
      "250 ok N qp N",
      "554 the message has a NUL, or a CR without LF (#5.6.0)",
    ],
    [
      "a NUL",
      [...MESSAGE.slice(0, 3), "a\0b\r\n.\r\n"],
      "250 ok N qp N",
      "554 the message has a NUL, or a CR without LF (#5.6.0)",
    ],
    [
      "a source route of 66,000 bytes",
      [`MAIL FROM:<@${"a,@".repeat(22_000)}b:c@d>\r\n`],
      "250 ok",
      "555 syntax error (#5.5.4)",
    ],
  ])("a difference: %s", async (_, pieces, theirs, our) => {
    const [stock, ours] = await both([{ env: env(), pieces }], inControl({}));
    expect([stock, ours].map((results) => results?.[0]?.replies.at(-2))).toEqual([theirs, our]);
  });

  test("no difference: a line of a megabyte", async () => {
    const [stock, ours] = await both(
      [{ env: env(), pieces: [`NOOP ${"x".repeat(1 << 20)}\r\nQUIT\r\n`] }],
      inControl({}),
    );
    expect(ours).toEqual(stock);
  });
});

/** qmail-queue adds its pid, and that of its caller to the envelope. */
function withoutPid(one: SmtpResult["queued"][number]): SmtpResult["queued"][number] {
  const message = one.message.replace(/^Received: \(qmail \d+ invoked .*\n/, "");
  return { ...one, message, envelope: one.envelope.replace(/^u\d+\0p\d+\0/, "") };
}

/** Without what differs from run to run. */
function comparable({ replies, errors, code, queued }: SmtpResult) {
  return {
    code,
    errors,
    replies: replies
      .replaceAll(/^250 (2\.0\.0 )?ok [0-9]+ qp [0-9]+\r$/gm, "250 $1ok N qp N\r")
      .split("\r\n"),
    queued: queued.map(({ message, envelope, env }) => ({
      message: message.replace(/; \d+ [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d -0000\n/, "; DATE\n"),
      envelope,
      env,
    })),
  };
}

/** A client that has closed its end when its message is complete may get no reply, and then nothing is queued. */
function unanswered(theirs: Comparable): Comparable {
  const { replies, queued, code } = theirs;
  const last = replies.at(-2) ?? "";
  if (code !== 1 || !/^(250 ok N qp|451 |552 |554 )/.test(last)) return theirs;
  const isQueued = last.startsWith("250");
  return {
    ...theirs,
    replies: [...replies.slice(0, -2), ""],
    queued: isQueued ? queued.slice(0, -1) : queued,
  };
}

type Comparable = ReturnType<typeof comparable>;

/** How random sessions with both are compared. */
interface Comparison {
  /** Which ones, in addition to the seed. */
  readonly nth: number;
  /** Added to control/. */
  readonly files?: Readonly<Record<string, string>>;
  readonly skips?: (session: SmtpSession) => boolean;
  /** What is compared. */
  readonly same: (result: Comparable) => unknown;
  readonly worker?: WorkerHow;
}

/** What is expected of ours: a message with NUL or CR, which stock queues, is refused. */
function withoutStray(theirs: Comparable): Comparable {
  const stray = theirs.queued.map(({ message }) => /[\0\r]/.test(message));
  let message = 0;
  return {
    ...theirs,
    replies: theirs.replies.map((reply) =>
      reply === "250 ok N qp N" && stray[message++]
        ? "554 the message has a NUL, or a CR without LF (#5.6.0)"
        : reply,
    ),
    queued: theirs.queued.filter((_, i) => !stray[i]),
  };
}
