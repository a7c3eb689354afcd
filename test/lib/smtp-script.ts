type Numbers = (below: number) => number;

const HOSTS = [
  "ours.example",
  "OURS.example",
  "a.sub.example",
  "sub.example",
  "x.ours.example",
  "more.example",
  "y.more.example",
  "other.example",
  "evil.example",
  "[127.0.0.1]",
  "[0.0.0.0]",
  "[383.256.0.1]",
  "[192.0.2.77]",
  "[127.0.0.1]x",
  "[127.0.0.1",
  "[0127.000.0.01]",
  "[18446744073709551743.0.0.1]",
  "[127.0.0]",
  "[127.0.0.1.1]",
  "[+127.0.0.1]",
  "[]",
  "[IPv6:::1]",
  "ours.example.",
  "ours.example:25",
  "",
];
const LOCALS = [
  "joe",
  "a.b",
  "x@y",
  '"q u"',
  "back\\\\slash",
  "\xe9t\xe9",
  "bad",
  "joe%other.example",
  "-",
  "a<b",
  "",
];

/** Random clients of qmail-smtpd: what each sends, a byte string per line or message. */
export function scripts(random: Numbers): () => string[] {
  const one = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const chance = (percent: number) => random(100) < percent;
  const byte = () => String.fromCharCode(random(256));
  const noise = (most: number) => Array.from({ length: random(most) }, byte).join("");

  const address = (): string => {
    if (chance(3)) return `${"x".repeat(880 + random(40))}${one(["", "@[127.0.0.1]", "@ours.example"])}`;
    if (chance(3)) return noise(12);
    if (chance(1)) return "x".repeat(1 + random(60_000));
    const host = one(HOSTS);
    return chance(4) ? one(LOCALS) : `${one(LOCALS)}@${host}`;
  };
  const path = (): string => {
    const text = address();
    const route = chance(5) ? one(["@a,@b:", "@a:", "@a", "@"]) : "";
    return one([
      ...Array(8).fill(`<${route}${text}>`),
      `<${route}${text}`,
      `<<${text}>>`,
      text,
      ` ${text} `,
      `<${text}> SIZE=1000`,
      `<${text}>garbage<x@y>`,
      `<"a>b"@ours.example>`,
    ]);
  };
  const anyCase = (verb: string) =>
    chance(70) ? verb : Array.from(verb, (c) => (chance(50) ? c.toLowerCase() : c)).join("");
  const mail = () =>
    `${anyCase("MAIL")} ${one(["FROM:", "FROM:", "FROM:", "FROM: ", "from:", "TO:", ":", " FROM:"])}${path()}`;
  const rcpt = () =>
    `${anyCase("RCPT")} ${one(["TO:", "TO:", "TO:", "TO: ", "to:", "FROM:", ":", "  TO:"])}${path()}`;
  const simple = (): string =>
    one([
      `${anyCase("HELO")} ${one(["me.example", "client.example", "CLIENT.example", "a_b c", "", noise(10)])}`,
      `${anyCase("EHLO")} ${one(["me.example", "client.example", "[192.0.2.1]", noise(10)])}`,
      one(["HELO", "EHLO", "helo\t"]),
      one(["NOOP", "noop x y", "NOOP\t"]),
      one(["RSET", "RSET x"]),
      one(["VRFY joe", "VRFY"]),
      one(["HELP", "help me"]),
      one([
        "EXPN x",
        "STARTTLS",
        "AUTH PLAIN",
        "BDAT 3",
        "",
        " NOOP",
        "MAIL\tFROM:<x>",
        "DATA\t",
        noise(20),
        "QUITX",
        `NOOP ${"x".repeat(one([490, 1000, 1010, 1020, 65_530, 100_000]) + random(30))}`,
        `HELO ${"h".repeat(one([500, 5000]))}`,
      ]),
      "MAIL",
      "DATA",
    ]);
  const lineEnd = () => (chance(93) ? "\r\n" : one(["\n", "\r\n", "\r\r\n"]));

  const headerLine = (): string =>
    one([
      "Received: from x by y",
      "received",
      "Delivered-To: me",
      "DELIVERED-TO: me",
      "Receiver: x",
      "rEcEiVeD",
      "Receive",
      "delivered",
      "received\tx",
      " Received: folded",
      ".Received: dot",
      "Subject: hello",
      `X: ${noise(30).replaceAll(/[\0\r\n]/g, "")}`,
    ]);
  const bodyLine = (): string =>
    one([
      "text",
      "..",
      "..x",
      ".x",
      "",
      "",
      "Received: in the body",
      "x".repeat(random(1500)),
      noise(40).replaceAll(/[\0\r\n]/g, ""),
    ]);
  /** A message up to its final dot, rarely with what only some programs see as the end. */
  const message = (): string => {
    const hops = chance(6) ? 95 + random(10) : 0;
    const large = chance(2) ? 1 + random(2000) : 0;
    const lines = [
      ...Array.from({ length: hops }, () => one(["Received: a", "Delivered-To: b"])),
      ...Array.from({ length: random(6) }, headerLine),
      ...(chance(85) ? [""] : []),
      ...Array.from({ length: random(12) + large }, bodyLine),
    ];
    let text = lines.map((line) => `${line}\r\n`).join("");
    if (chance(10)) {
      const at = random(text.length + 1);
      const odd = one([
        "\n",
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r",
        "\0",
        "\r.\r",
        "\r\n.\r",
        "\r.\r\n",
        "\r\n\0.\r\n",
        "\r\r\n",
        "\r\n.\0\r\n",
      ]);
      text = text.slice(0, at) + odd + text.slice(at);
    }
    return `${text}.\r\n`;
  };

  const transaction = (): string[] => [
    `${mail()}${lineEnd()}`,
    ...Array.from({ length: random(4) }, () => `${chance(92) ? rcpt() : simple()}${lineEnd()}`),
    ...(chance(80) ? [`RCPT TO:<joe@ours.example>\r\n`] : []),
    ...Array(chance(2) ? random(300) : 0).fill("RCPT TO:<ann@more.example>\r\n"),
    `${anyCase("DATA")}${chance(5) ? " x" : ""}${lineEnd()}`,
    message(),
  ];

  /** A session: mostly in order, sometimes mutilated, sometimes cut anywhere. */
  const session = (): string[] => {
    const lines: string[] = chance(70)
      ? [`${one(["HELO", "EHLO"])} ${one(["me.example", "client.example"])}\r\n`]
      : [];
    for (let n = 1 + random(3); n > 0; n--) {
      lines.push(...(chance(75) ? transaction() : [`${one([simple, simple, mail, rcpt])()}${lineEnd()}`]));
    }
    if (chance(80)) lines.push(`${anyCase("QUIT")}\r\n`);
    if (chance(15)) lines.splice(random(lines.length + 1), 1);
    if (chance(15)) lines.splice(random(lines.length + 1), 0, one(lines) ?? "NOOP\r\n");
    if (chance(8)) {
      const at = random(lines.length);
      const line = lines[at] ?? "";
      const where = random(line.length + 1);
      lines[at] = line.slice(0, where) + noise(4) + line.slice(where + random(2));
    }
    if (!chance(12)) return lines;
    const all = lines.join("");
    return [all.slice(0, random(all.length + 1))];
  };

  /** A RCPT without an address is one of the documented differences. */
  const hasBareRcpt = (text: string) =>
    text.split("\n").some((line) => {
      const [command = ""] = line.split("\0", 1);
      return /^rcpt\r?(?: |$)/i.test(command) && !/[<:]/.test(command);
    });

  return (): string[] => {
    for (;;) {
      const pieces = session();
      if (!hasBareRcpt(pieces.join(""))) return pieces;
    }
  };
}
