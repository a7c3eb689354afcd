import { type FileInHome, type LocalCase, MAILDIR } from "./deliver.ts";

interface NamedCase extends LocalCase {
  readonly name: string;
}

interface Address {
  readonly local?: string;
  readonly dash?: string;
  readonly ext?: string;
  readonly host?: string;
  readonly sender?: string;
  readonly defaultDelivery?: string;
  readonly options?: readonly string[];
}

function args(address: Address = {}): string[] {
  const { dash = "", ext = "", host = "example.com", sender = "s@sender.org" } = address;
  const { local = `joe${dash}${ext}`, defaultDelivery = "./Mailbox", options = ["--"] } = address;
  return [...options, "joe", "@HOME@", local, dash, ext, host, sender, defaultDelivery];
}

const text = (content: string, mode = 0o600): FileInHome => ({ text: content, mode });

const VARIABLES =
  "USER HOME LOCAL HOST HOST2 HOST3 HOST4 RECIPIENT EXT EXT2 EXT3 EXT4 SENDER NEWSENDER DTLINE RPLINE DEFAULT";

/** Prints the bytes of each variable. */
const SHOW_ENV = `|for v in ${VARIABLES}; do eval "printf '%s=<%s>\\n' $v \\"\\\${$v-unset}\\""; done`;

/** All cases, the same in the same order in every run. */
export function localCases(): NamedCase[] {
  return [
    ...search(),
    ...owners(),
    ...lines(),
    ...exits(),
    ...queueExits(),
    ...modes(),
    ...loops(),
    ...messages(),
    ...environments(),
    ...usage(),
    ...defaults(),
    ...mixtures(),
    ...edges(),
  ];
}

/** Rare cases. */
function edges(): NamedCase[] {
  const queue = (name: string, script: string): NamedCase => ({
    name: `edge: qmail-queue ${name}`,
    args: args({ defaultDelivery: "a@b" }),
    files: { queue: text(`#!/bin/sh\n${script}\n`, 0o755) },
    env: { QMAILQUEUE: "@HOME@/queue" },
  });
  const lines = [
    "./Maildir/\0x",
    "./Maildir/\0x/",
    "./Maildir\0/",
    "./Maildir\0",
    ".\0/",
    "/\0/",
    "./Maildir/ \0 /",
  ];
  const long = `printf %s '${"\xe9\xff x".repeat(10_000)}' | cksum`;
  return [
    ...lines.map((line) => ({
      name: `edge: ${JSON.stringify(line)} in a .qmail file`,
      args: args(),
      files: { ...MAILDIR, ".qmail": text(line) },
    })),
    ...(["closed", "directory", "write-only"] as const).flatMap((descriptor0) =>
      ["./Mailbox", "./Maildir/", "|cat", "a@b"].map((defaultDelivery) => ({
        name: `edge: descriptor 0 ${descriptor0}, ${defaultDelivery}`,
        args: args({ defaultDelivery }),
        files: MAILDIR,
        descriptor0,
      })),
    ),
    {
      name: "edge: QMAILQUEUE is empty",
      args: args({ defaultDelivery: "a@b" }),
      env: { QMAILQUEUE: "" },
    },
    queue("has SIGPIPE ignored", "cat >/dev/null; grep SigIgn /proc/self/status; cat <&1 >/dev/null"),
    queue(
      "writes to a closed pipe",
      "cat >/dev/null; (sleep 0.1; echo x) | true; cat <&1 >/dev/null; exit 0",
    ),
    { name: "edge: a long command of bytes", args: args({ defaultDelivery: `|${long}` }) },
    { name: "edge: a command too long", args: args({ defaultDelivery: `|: ${"x".repeat(131_060)}` }) },
    {
      name: "edge: a long command in a file",
      args: args(),
      files: { ".qmail": text(`|: ${"x".repeat(140_000)}`) },
    },
  ];
}

/** Which file is used, and the value of $DEFAULT. */
function search(): NamedCase[] {
  const says = (name: string) =>
    text(`|echo ${name}; printf '%s\\n' "\${DEFAULT-unset}/$EXT/$EXT2/$EXT3/$EXT4"`);
  const exts = [
    ["", "foo", "FOO", "foo-bar", "foo-", "-foo", "Foo-Bar-Baz", "a.b", "A.b-C.d", "default", "foo-default"],
    [
      "MyDefault",
      "../x",
      "-",
      "--",
      "foo--bar",
      "two words",
      "\xe9t\xe9",
      "x/y",
      "a".repeat(300),
      "@",
      "a@b.c",
    ],
  ].flat();
  const dir: FileInHome = { dir: 0o700 };
  const sets: Record<string, Record<string, FileInHome>> = {
    none: {},
    plain: { ".qmail": says("plain") },
    some: {
      ".qmail-foo": says("foo"),
      ".qmail-foo-default": says("foo-default"),
      ".qmail-foo-bar-default": says("foo-bar-default"),
      ".qmail-a:b": says("a:b"),
      ".qmail-mydefault": says("mydefault"),
      ".qmail-two words": says("two words"),
      ".qmail-\xe9t\xe9": says("accents"),
    },
    all: {
      ".qmaildefault": says("qmaildefault"),
      ".qmail-default": says("default"),
      ".qmail-": says("dash"),
      ".qmail--default": says("dash-default"),
      ".qmail-foo-": says("foo-"),
      ".qmailfoo": says("without dash"),
    },
    unusable: {
      ".qmail-foo": dir,
      ".qmail-foo-bar": { link: "nowhere" },
      ".qmail-foo-default": { link: ".qmail-foo-default" },
      ".qmail-default": says("default"),
      ".qmail": dir,
    },
  };
  return Object.entries(sets).flatMap(([set, files]) =>
    exts.flatMap((ext) =>
      ["", "-"].map((dash) => ({
        name: `search ${set}: "${dash}" "${ext}"`,
        args: args({ dash, ext, local: "joe" }),
        files,
        ...(ext.startsWith("foo") && { env: { DEFAULT: "inherited" } }),
      })),
    ),
  );
}

function owners(): NamedCase[] {
  const sets: Record<string, readonly string[]> = {
    "no owner": [],
    owner: [".qmail-list-owner"],
    "owner and default": [".qmail-list-owner", ".qmail-list-owner-default"],
    "default alone": [".qmail-list-owner-default"],
    "of another": [".qmail-list-x-owner"],
  };
  return Object.entries(sets).flatMap(([set, names]) =>
    ["", "#@[]", "a@b", "x", "a-@b-@[]"].flatMap((sender) =>
      ["list", "List", "list-x", ""].map((ext) => ({
        name: `owner ${set}: ${ext} from <${sender}>`,
        args: args({ dash: ext === "" ? "" : "-", ext, sender, local: `Joe-${ext}` }),
        files: {
          ...Object.fromEntries(names.map((name) => [name, text("#")])),
          ".qmail": text("&fwd@x.org\n"),
          ".qmail-default": text('|echo "$NEWSENDER"\nfwd@x.org\n&\n'),
        },
      })),
    ),
  );
}

/** Every first byte, blanks, line ends; with and without the x bit; done and described. */
function lines(): NamedCase[] {
  const contents = [
    [
      "",
      "\n",
      " \n",
      "\t",
      "#",
      "# c\n",
      "#\n\n\n",
      "\n./Mailbox\n",
      "#\n\n./Mailbox",
      "./Mailbox",
      "./Mailbox\n",
    ],
    [
      "./Mailbox  \t\n",
      "./Maildir/",
      "./Maildir/ \n",
      "./a b\n",
      "./nowhere/mbox\n",
      "./nowhere/\n",
      ".",
      "./",
    ],
    ["|echo hi", "|echo hi >&2; echo there", "|cat", "|cat; cat", "|", "| \n#", "|true\n|cat\n|cat\n"],
    ["&a@b", "& a@b", "&", "&\n&\n", "a@b", " a@b", "<g@h>\n", "a b\n", "\xe9@b\n", "me", "a@b\nc@d\ne@f\n"],
    [
      "+list\n",
      "+list\n./Mailbox\n",
      "+list\n|true\n",
      "+list\na@b\n",
      "./Mailbox\n+list\na@b\n",
      "+other\n./Mailbox\n",
    ],
    [
      "./Mailbox\n+list\n|true\n",
      "+list \n|true",
      "+\n|true\n",
      "+LIST\n|true\n",
      "\\x\n",
      "!x\n",
      ":x\n",
      "./a\n./b\n",
    ],
    [
      "|exit 99\na@b\n",
      "a@b\n|exit 99\nc@d\n",
      "a@b\n|exit 1\n",
      "./Mailbox\n|exit 100\na@b\n",
      "|kill -9 $$\n",
    ],
    [
      "\0\n./Mailbox",
      "#\n\0a@b\n./Mailbox\n",
      "+list\0x\n|true\n",
      "a@b\0c\n",
      "./Mail\0box\n",
      "|echo a\0b\n",
      "./Mailbox\r\n",
      "#a\n./Mailbox",
      "./Maildir/\n./Maildir/\n",
    ],
    [
      "|exec 3<&0; cat <&3\n|read a; echo $a\n|cat\n",
      "|cat >/dev/null\n./Mailbox\n",
      "|echo $0; pwd; umask\n",
    ],
    ["|ls /proc/self/fd | wc -l\n", "|grep -E 'Sig(Blk|Ign)' /proc/self/status\n", "./Mailbox\n./Mailbox\n"],
    [
      "|sleep 1 & :\n",
      "|echo no end of line",
      "|nosuchprogram-x\n",
      "|exit 99\n|echo never\n",
      "/@HOME@/x\n",
      "/\n",
    ],
  ].flat();
  return contents.flatMap((content, i) =>
    [0o600, 0o700].flatMap((mode) =>
      ["--", "-n"].map((option) => ({
        name: `line ${i} ${JSON.stringify(content)} mode ${mode.toString(8)} ${option}`,
        args: args({ options: [option] }),
        files: { ...MAILDIR, ".qmail": text(content, mode) },
      })),
    ),
  );
}

const EXITS = Array.from({ length: 256 }, (_, code) => code);

/** Exit codes of programs. */
function exits(): NamedCase[] {
  return [
    ...EXITS.map((code) => ({
      name: `exit ${code}`,
      args: args(),
      files: { ".qmail": text(`./Mailbox\n|echo said; exit ${code}\nafter@x.org\n`) },
    })),
    ...["HUP", "INT", "PIPE", "ALRM", "TERM", "KILL", "SEGV"].map((signal) => ({
      name: `killed by ${signal}`,
      args: args(),
      files: { ".qmail": text(`a@b\n|kill -${signal} $$\n`) },
    })),
  ];
}

/** Exit codes of qmail-queue, and the results. */
function queueExits(): NamedCase[] {
  const forward = { ".qmail": text("./Mailbox\na@b\nc@d\n") };
  return [
    ...EXITS.map((code) => ({
      name: `qmail-queue exits ${code}`,
      args: args(),
      files: forward,
      env: { QUEUE_EXIT: String(code) },
    })),
    ...["D", "DX", "DX5", "Dgo away (#5.7.1)", "Znot now", "Kodd", "\xe9\xe8x"].map((says) => ({
      name: `qmail-queue exits 82 and says ${says}`,
      args: args(),
      files: forward,
      env: { QUEUE_EXIT: "82", QUEUE_SAYS: says },
    })),
    { name: "qmail-queue is killed", args: args(), files: forward, env: { QUEUE_EXIT: "kill" } },
    { name: "qmail-queue is missing", args: args(), files: forward, env: { QMAILQUEUE: "/nonexistent" } },
    { name: "qmail-queue is no program", args: args(), files: forward, env: { QMAILQUEUE: "@HOME@/.qmail" } },
    { name: "qmail-queue is a directory", args: args(), files: forward, env: { QMAILQUEUE: "/tmp" } },
  ];
}

/** Homes and files that must not be used. */
function modes(): NamedCase[] {
  const homes = [0o755, 0o775, 0o770, 0o757, 0o702, 0o1755, 0o1700, 0o2755, 0o500, 0o1777, 0o711];
  const qmails = [
    0, 0o200, 0o400, 0o600, 0o620, 0o622, 0o602, 0o644, 0o664, 0o666, 0o700, 0o710, 0o611, 0o702, 0o4700,
  ];
  const plain = { ...MAILDIR, ".qmail": text("./Maildir/\n"), ".qmail-default": text("./Mailbox\n") };
  const broken: Record<string, Record<string, FileInHome>> = {
    "no tmp": { "Maildir/new": { dir: 0o700 } },
    "no new": { "Maildir/tmp": { dir: 0o700 } },
    "tmp closed": { ...MAILDIR, "Maildir/tmp": { dir: 0o500 } },
    "new closed": { ...MAILDIR, "Maildir/new": { dir: 0o500 } },
    "a file": { Maildir: text("x") },
    nothing: {},
    "a link": {
      Real: { dir: 0o700 },
      "Real/tmp": { dir: 0o700 },
      "Real/new": { dir: 0o700 },
      Maildir: { link: "Real" },
    },
    "a loop": { Maildir: { link: "Maildir" } },
    closed: { ...MAILDIR, Maildir: { dir: 0 } },
  };
  const boxes: Record<string, Record<string, FileInHome>> = {
    "a directory": { Mailbox: { dir: 0o700 } },
    "not writable": { Mailbox: text("old\n", 0o400) },
    existing: { Mailbox: text("old\n", 0o640) },
    "a link": { Mailbox: { link: "other" } },
    "a loop": { Mailbox: { link: "Mailbox" } },
    "a FIFO without reader": { Mailbox: { fifo: true } },
  };
  return [
    ...homes.flatMap((homeMode) =>
      ["--", "-n"].map((option) => ({
        name: `home mode ${homeMode.toString(8)} ${option}`,
        args: args({ options: [option] }),
        files: plain,
        homeMode,
      })),
    ),
    ...qmails.flatMap((mode) =>
      ["--", "-n"].map((option) => ({
        name: `.qmail mode ${mode.toString(8)} ${option}`,
        args: args({ options: [option] }),
        files: { ...plain, ".qmail": text("./Maildir/\n", mode) },
      })),
    ),
    ...qmails.map((mode) => ({
      name: `.qmail-x mode ${mode.toString(8)} before .qmail-default`,
      args: args({ dash: "-", ext: "x" }),
      files: { ...plain, ".qmail-x": text("a@b\n", mode) },
    })),
    ...qmails.map((mode) => ({
      name: `empty .qmail mode ${mode.toString(8)}`,
      args: args(),
      files: { ".qmail": text("", mode) },
    })),
    ...Object.entries(broken).map(([what, files]) => ({
      name: `maildir: ${what}`,
      args: args({ defaultDelivery: "./Maildir/" }),
      files: { ...files, ".qmail-default": text("a@b\n") },
    })),
    ...Object.entries(boxes).map(([what, files]) => ({ name: `mbox: ${what}`, args: args(), files })),
    { name: "mbox: /dev/null", args: args({ defaultDelivery: "/dev/null" }) },
    { name: "mbox: /dev/full", args: args({ defaultDelivery: "/dev/full" }) },
    {
      name: "home: a file",
      args: ["joe", "@HOME@/x", "joe", "", "", "h", "s", "./Mailbox"],
      files: { x: text("") },
    },
    { name: "home: missing", args: ["joe", "@HOME@/x", "joe", "", "", "h", "s", "./Mailbox"] },
  ];
}

function loops(): NamedCase[] {
  const mark = "Delivered-To: joe@example.com";
  const list = [
    [
      `${mark}\n\n`,
      `${mark}\nSubject: x\n\nb\n`,
      `Subject: x\n${mark}\n\nb\n`,
      `Subject: x\n\n${mark}\n`,
      `${mark} \n\n`,
    ],
    [
      `${mark}\r\n\r\n`,
      `${mark}`,
      `${mark}\n`,
      `X: y\n${mark}`,
      `${mark.toLowerCase()}\n\n`,
      `${mark.toUpperCase()}\n\n`,
    ],
    [
      `X: y\r\n\r\n${mark}\n`,
      ` ${mark}\n\n`,
      `Delivered-To: joe@example.com.\n\n`,
      `\n${mark}\n`,
      `X: y\n\0\n${mark}\n\n`,
    ],
    [
      `X: ${"y".repeat(70000)}\n${mark}\n\n`,
      `X: ${"y".repeat(65530)}\n${mark}\n\nb\n`,
      `\0\n${mark}\n\n`,
      `${mark}\0\n\n`,
    ],
    [
      `Delivered-To: Joe@example.com\n\n`,
      `Delivered-To:  joe@example.com\n\n`,
      `${"X: y\n".repeat(13107)}${mark}\n\n`,
    ],
  ].flat();
  return [
    ...list.map((message, i) => ({ name: `loop ${i}`, args: args({ defaultDelivery: "|wc -c" }), message })),
    { name: "loop with -n", args: args({ options: ["-n"] }), message: `${mark}\n\n` },
    {
      name: "loop of an address with a line end",
      args: args({ local: "a\nb", defaultDelivery: "|true" }),
      message: "Delivered-To: a_b@example.com\n\n",
    },
  ];
}

/** What is written for each message. */
function messages(): NamedCase[] {
  const bodies = [
    [
      "",
      "\n",
      "x",
      "x\n",
      "\n\n",
      "From x\n",
      "From x",
      ">From x\n",
      ">>>From x\n",
      "> From x\n",
      "From\n",
      "From",
      "Fro",
    ],
    [
      "From:\n",
      "FROM x\n",
      "from x\n",
      " From x\n",
      "a\nFrom b\nc\n",
      "a\n>From b",
      "a\n\nFrom b\n\n>>From c\n>",
      ">>>",
    ],
    [
      "x\r\nFrom y\r\n",
      "\0\nFrom \0\n",
      "\xff\xfe\nFrom \xe9",
      "aFrom b\n",
      "From \nFrom \n",
      ">\nFrom x\n",
      "\n>F\n>Fr\n",
    ],
    [
      `${"x".repeat(65535)}\nFrom y\n`,
      `${"x".repeat(65533)}\nFrom y\n`,
      `${">".repeat(65535)}From y\n`,
      `${"z".repeat(65536)}`,
    ],
  ].flat();
  return bodies.flatMap((message, i) =>
    ["./Mailbox", "./Maildir/", "a@b", "./Mailbox\n./Maildir/\n&c@d\n|cat\n"].map((defaultDelivery) => ({
      name: `message ${i} to ${JSON.stringify(defaultDelivery)}`,
      args: args({ defaultDelivery }),
      message,
      files: MAILDIR,
    })),
  );
}

function environments(): NamedCase[] {
  const senders = [
    [
      "",
      "#@[]",
      "a@b",
      "a",
      "@b",
      "a@",
      "a b@c",
      'a"b@c',
      "a\\b@c",
      ".a@b",
      "a.@b",
      "a..b@c",
      "a.b@c",
      "a@b@c",
      "\xe9@b",
    ],
    [
      "a\tb@c",
      "a\nb@c\nd",
      "(a)@b",
      "<a>@b",
      "a,b@c",
      "a;b@c",
      "a:b@c",
      "[a]@b",
      "a\rb@c",
      "a\x7f@b",
      "a'b@c",
      "%$`!@b",
    ],
    ["-a@b", "a@b c", "a@[1.2.3.4]", "a-b=c@d", "\xc3\xa9@b", "\xff", "\xc3\xa9\xff@b"],
  ].flat();
  const hosts = [
    "",
    "h",
    "a.b",
    "a.b.c",
    "a.b.c.d",
    "a.b.c.d.e",
    ".",
    "..",
    "a.",
    ".a",
    "H.X",
    "\xe9.b",
    "a\nb",
  ];
  const locals = ["", "JOE", "joe-Ext", "a b", "a\nb", "\xe9", "a@b", "joe-", "x".repeat(200)];
  const exts = [
    "a",
    "a-b",
    "a-b-c",
    "a-b-c-d",
    "a-b-c-d-e",
    "-",
    "--",
    "---",
    "a--b",
    "a-",
    "-a",
    "\xe9-\xff",
  ];
  const show = { ".qmail": text(SHOW_ENV), ".qmail-default": text(SHOW_ENV) };
  const one = (name: string, address: Address, env?: Record<string, string>): NamedCase => ({
    name: `environment: ${name}`,
    args: args(address),
    files: show,
    ...(env && { env }),
  });
  return [
    ...senders.map((sender) => one(`sender ${JSON.stringify(sender)}`, { sender })),
    ...senders.map((sender) => ({
      name: `mbox from ${JSON.stringify(sender)}`,
      args: args({ sender, defaultDelivery: "./Mailbox\na@b" }),
    })),
    ...hosts.map((host) => one(`host ${JSON.stringify(host)}`, { host })),
    ...locals.map((local) => one(`local ${JSON.stringify(local)}`, { local })),
    ...exts.map((ext) => one(`ext ${JSON.stringify(ext)}`, { dash: "-", ext })),
    one("inherited", {}, { DEFAULT: "old", EXT: "old", SENDER: "old", HOST: "old" }),
    one("inherited, not UTF-8", {}, { DEFAULT: "\xff\xc3\xa9", OTHER: "\xe9" }),
    {
      name: "environment: other variables are kept to the byte",
      args: args({ defaultDelivery: '|printf %s "$OTHER" | od -An -tx1' }),
      env: { OTHER: "\xff\x01 '\\%s\n\n" },
    },
    {
      name: "a command that is not UTF-8",
      args: args({ defaultDelivery: "|printf %s '\xff\xe9\\n%s' | od -An -tx1; exit 100" }),
    },
    {
      name: "forwarding with an environment that is not UTF-8",
      args: args({ sender: "\xff@b", defaultDelivery: "\xe9@c" }),
      env: { QUEUE_EXIT: "31" },
    },
  ];
}

function usage(): NamedCase[] {
  const eight = ["joe", "@HOME@", "joe", "", "", "h", "s", "./Mailbox"];
  const lists: readonly (readonly string[])[] = [
    [],
    ["--"],
    ["-n"],
    eight.slice(0, 7),
    [...eight, "x"],
    eight,
    ["-n", ...eight],
    ["-N", ...eight],
    ["-nN", ...eight],
    ["-Nn", ...eight],
    ["-n", "-N", "--", ...eight],
    ["-N", "-n", "--", ...eight],
    ["-x", ...eight],
    ["-nx", ...eight],
    ["--", "-n", ...eight],
    ["-", ...eight.slice(1)],
    ["joe", "relative", ...eight.slice(2)],
    ["joe", "", ...eight.slice(2)],
    ["--", "-joe", ...eight.slice(1)],
    ["--n", ...eight],
  ];
  return lists.map((list) => ({ name: `arguments ${JSON.stringify(list)}`, args: list }));
}

function defaults(): NamedCase[] {
  const contents = [
    "",
    "\n",
    "#",
    "./Mailbox\n./Maildir/\n",
    "|echo one\n|echo two",
    "a@b\n",
    " ",
    "x\0y",
    "+list\n./Mailbox",
  ];
  return contents.flatMap((defaultDelivery) => [
    {
      name: `default delivery ${JSON.stringify(defaultDelivery)}`,
      args: args({ defaultDelivery: defaultDelivery.replaceAll("\0", "") }),
      files: MAILDIR,
    },
    {
      name: `default delivery ${JSON.stringify(defaultDelivery)} for an empty executable .qmail-default`,
      args: args({ defaultDelivery: defaultDelivery.replaceAll("\0", ""), dash: "-", ext: "x" }),
      files: { ...MAILDIR, ".qmail-default": text("", 0o700) },
    },
  ]);
}

/** Random lines, the same in every run. */
function mixtures(): NamedCase[] {
  const pool = [
    [
      "./Mailbox",
      "./Maildir/",
      "./other",
      "|echo prog $EXT $DEFAULT",
      "|exit 99",
      "|exit 1",
      "|exit 100",
      "|cat",
      "a@b.org",
    ],
    [
      "&c@d.org",
      "# comment",
      "",
      "  ",
      "+list",
      "./nowhere/",
      "./nowhere/mbox",
      "|wc -c",
      "me@example.com  ",
      "|true",
    ],
  ].flat();
  let state = 20000101;
  const random = (n: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0; // rand(3) of old
    return (state >>> 16) % n;
  };
  return Array.from({ length: 120 }, (_, i) => {
    const content = Array.from({ length: 1 + random(6) }, () => pool[random(pool.length)]).join("\n");
    const ext = ["", "x", "x-y", "X-Y-z"][random(4)] ?? "";
    return {
      name: `mixture ${i}`,
      args: args({ dash: ext === "" ? "" : "-", ext, options: random(4) === 0 ? ["-n"] : ["--"] }),
      files: {
        ...MAILDIR,
        [[".qmail", ".qmail-x", ".qmail-x-default", ".qmail-default"][random(4)] ?? ""]: text(
          content,
          random(6) === 0 ? 0o700 : 0o600,
        ),
        ".qmail-x-owner": text("#"),
      },
    };
  });
}
