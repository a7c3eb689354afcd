import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { QMAILD } from "../lib/accounts.ts";
import { cdbOf } from "../lib/cdb.ts";
import { BIN } from "../lib/program.ts";
import { numbers } from "../lib/random.ts";
import { compileRecorder, runSessions, type SmtpResult, type SmtpSession } from "../lib/smtp-pair.ts";
import { scripts } from "../lib/smtp-script.ts";
import { isRoot } from "../lib/world.ts";

// Beside a stock qmail-smtpd: STOCK_QMAIL=/its/home. SMTP_SESSIONS: how many, SMTP_SEED: which ones.
const STOCK = process.env.STOCK_QMAIL ?? "";
const COUNT = Number(process.env.SMTP_SESSIONS ?? 400);
const SEED = Number(process.env.SMTP_SEED ?? 1);

const BATCH = 40; // sessions with the same control files

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

/** How the nth qmail-queue ends: with every exit code, of which stock's text is compared, and in a special way. */
const ending = (n: number): string =>
  n % 2 === 0 ? (SPECIAL[(n >> 1) % SPECIAL.length] as string) : `exit ${1 + ((n >> 1) % 255)}`;

describe.skipIf(!isRoot || STOCK === "")("qmail-smtpd beside that of STOCK_QMAIL", () => {
  const dir = mkdtempSync(join(tmpdir(), "stock-smtpd-"));
  chmodSync(dir, 0o755); // a worker is not root
  const random = numbers(SEED);
  const one = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const nextScript = scripts(random);
  let recorder: string;
  let round = 0;
  beforeAll(() => {
    recorder = compileRecorder(dir);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  /** The files of control/, the usual ones or a random choice. */
  function controls(nth: number): string {
    const control = join(dir, `control.${nth}`);
    mkdirSync(control);
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
    if (n % 4 === 3) {
      env.QQ = ending(n >> 2);
    }
    if (env.QQ !== undefined || env.QMAILQUEUE !== recorder) pieces = [withoutStrayBytes(pieces.join(""))];
    if (n % 50 === 10) return { env, pieces: splitAnywhere(pieces.join("")), pause: 0.002 };
    return { env, pieces };
  }

  function splitAnywhere(text: string): string[] {
    const pieces: string[] = [];
    for (let at = 0; at < text.length; ) {
      const size = 1 + random(200);
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
  async function compare(
    count: number,
    files: Readonly<Record<string, string>>,
    skips: (session: SmtpSession) => boolean,
    same: (result: Comparable) => unknown,
    worker?: { readonly uid: number; readonly env: Readonly<Record<string, string>> },
  ) {
    const seen = new Set<string>();
    const different: unknown[] = [];
    for (let done = 0; done < count; done += BATCH) {
      const sessions = Array.from({ length: BATCH }, (_, i) => session(done + i)).filter(
        (one) => !skips(one),
      );
      const control = controls(round++);
      const mounts = { [`${STOCK}/control`]: control };
      const stock = await runSessions(join(STOCK, "bin/qmail-smtpd"), sessions, mounts);
      for (const [name, text] of Object.entries(files)) writeFileSync(join(control, name), text);
      const ours = await runSessions(join(BIN, "qmail-smtpd"), sessions, mounts, worker);
      for (const [i, one] of sessions.entries()) {
        const theirs = comparable(stock[i] as SmtpResult);
        for (const reply of theirs.replies) seen.add(reply);
        const [our, expected] = [same(comparable(ours[i] as SmtpResult)), same(withoutStray(theirs))];
        const allowed = worker ? [expected, same(unanswered(withoutStray(theirs)))] : [expected];
        if (!allowed.map((each) => JSON.stringify(each)).includes(JSON.stringify(our))) {
          different.push({ control, one, expected, our });
        }
      }
    }
    return { seen, different };
  }

  test(`${COUNT} random sessions: the same bytes, the same messages in the queue`, async () => {
    const { seen, different } = await compare(
      COUNT,
      {},
      () => false,
      (result) => result,
    );
    expect(different.slice(0, 3), `${different.length} differ`).toEqual([]);
    if (COUNT >= 400) expect(REPLIES.filter((reply) => !seen.has(reply))).toEqual([]);
  }, 3_600_000);

  test(`${COUNT / 4} random sessions with the extensions on: the same to a client that uses none`, async () => {
    const { different } = await compare(
      COUNT / 4,
      { smtpd: EXTENSIONS },
      usesExtension,
      ({ replies, ...rest }) => ({
        ...rest,
        replies: replies
          .filter((reply) => !/^250-(SIZE|ENHANCEDSTATUSCODES|CHUNKING|AUTH|STARTTLS)/.test(reply))
          .map((reply) => reply.replace(/^(\d{3} )\d\.\d+\.\d+ /, "$1").replace(/ \(#[\d.]+\)$/, "")),
      }),
    );
    expect(different.slice(0, 3), `${different.length} differ`).toEqual([]);
  }, 3_600_000);

  test(`${COUNT / 2} random sessions in one process, a worker of tcpserver-sql: the same`, async () => {
    const { different } = await compare(
      COUNT / 2,
      {},
      ({ pause }) => pause !== undefined,
      ({ queued, ...rest }) => ({ ...rest, errors: "", queued }),
      { uid: QMAILD, env: { QMAIL_HOME: STOCK } },
    );
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
      sessions.map((pieces) => ({ env: env(), pieces, pause: 1.7 })),
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
