import { describe, expect, test } from "vitest";
import { parseSql } from "./sql.ts";

const base = "user vpopmail\ndatabase vpopmail\n";
const parse = (text: string) => parseSql(text, "control/sql");

test("the patch's own sample file", () => {
  const sql = parse(
    "server\tlocalhost\nport 3306\ndatabase vpopmail\ntable relay\nuser vpopmail\npass secretword\ntime 1800\n",
  );
  expect(sql).toMatchObject({
    database: {
      driver: "mysql",
      servers: [{ host: "localhost", port: undefined }],
      login: "vpopmail",
      password: "secretword",
      db: "vpopmail",
      timeout: 0.5,
    },
    table: { table: "relay", ip: "ip_addr", time: "timestamp", user: undefined, isDatetime: false },
    time: 1800,
    warnings: [],
  });
});

test("db/base and db/relay in one file", () => {
  const sql = parse(
    "driver = mysql\ndatabase = maildb\nuser = me\npasswd = s3\nrelay_table = popbsmtp\nrelay_pending = 60 * 15\n",
  );
  expect(sql.database).toMatchObject({ db: "maildb", login: "me", password: "s3" });
  expect(sql.table).toEqual({
    table: "popbsmtp",
    ip: "ip",
    time: "login_time",
    user: undefined,
    isDatetime: true,
  });
  expect(sql.time).toBe(900);
});

test("columns and their type by the administrator's names", () => {
  const sql = parse(
    `${base}table my_table\nrelay_ip my_ip_field\nrelay_time my_time_field\nrelay_user who\ntime_type datetime\n`,
  );
  expect(sql.table).toEqual({
    table: "my_table",
    ip: "my_ip_field",
    time: "my_time_field",
    user: "who",
    isDatetime: true,
  });
});

test.each([
  ["1800", 1800],
  ["60*30", 1800],
  ["60 * 30", 1800],
  ["1*60*24*3", 4320],
])("time %s is %i seconds", (value, seconds) => {
  expect(parse(`${base}time ${value}\n`).time).toBe(seconds);
  expect(parse(`${base}relay_pending = ${value}\n`).time).toBe(seconds);
});

test("tags in any case, comments anywhere but in a password", () => {
  const sql = parse(
    "SERVER db1 # the first\nUser x\nDatabase d\nPASS a #b\n# all\ntime 60# no\n".replace("60#", "60 #"),
  );
  expect(sql.database).toMatchObject({ servers: [{ host: "db1", port: 3306 }], password: "a #b" });
  expect(sql.time).toBe(60);
});

test("an SQLite file needs no user", () => {
  expect(parse("driver sqlite\ndatabase users/relay.db\n").database).toMatchObject({
    driver: "sqlite",
    db: "users/relay.db",
  });
});

test("unknown keys are warnings", () => {
  expect(parse(`${base}serverr x\n`).warnings).toEqual(['control/sql line 3: unknown key "serverr"']);
});

describe("an error names file and line", () => {
  test.each([
    ["time 0", "line 3: time: expected seconds"],
    ["time -1", "line 3: time: expected seconds"],
    ["time 60 * 0", "line 3: time: expected seconds"],
    ["time 60 * x", "line 3: time: expected seconds"],
    ["time 60 30", "line 3: time: expected seconds"],
    ["time 1e3", "line 3: time: expected seconds"],
    ["time 99999999 * 99999999", "line 3: time: expected seconds"],
    ["table relay; DROP TABLE mailbox", "line 3: table: expected a name"],
    ["table `relay`", "line 3: table: expected a name"],
    [`table ${"x".repeat(65)}`, "line 3: table: expected a name"],
    ["relay_ip ip'", "line 3: relay_ip: expected a name"],
    ["relay_user a b", "line 3: relay_user: expected a column's name"],
    ["port x", "line 3: port: expected a whole number"],
    ["port 65536", "line 3: port: expected a whole number"],
    ["timeout 0", "line 3: timeout: expected seconds"],
    ["trouble maybe", "line 3: trouble: expected serve or defer"],
    ["driver oracle", "line 3: driver: expected mysql or sqlite"],
    ["garbage", 'line 3: expected "key value"'],
  ])("%s", (line, message) => expect(() => parse(`${base}${line}\n`)).toThrow(`control/sql ${message}`));

  test("no user, no database", () => {
    expect(() => parse("database x\n")).toThrow('control/sql: no "user" line');
    expect(() => parse("user x\n")).toThrow('control/sql: no "database" line');
    expect(() => parse("tls yes\n")).toThrow('control/sql: no "user" line');
    expect(() => parse("driver sqlite\n")).toThrow('control/sql: no "database" line');
  });
});

test("a file without a database uses that of control/sqlserver, through qmail-sqld", () => {
  expect(parse("")).toMatchObject({
    database: undefined,
    time: 1800,
    timeout: 0.5,
    table: { table: "relay" },
  });
  expect(parse("timeout 2\ntable popbsmtp\ntrouble defer\nlocal 10.\n")).toMatchObject({
    database: undefined,
    timeout: 2,
    trouble: "defer",
    local: ["10."],
    table: { isDatetime: true },
  });
  expect(parse(`${base}timeout 2\n`)).toMatchObject({ database: { timeout: 2 }, timeout: 2 });
});

test("db/base's notify_email and notify_from", () => {
  expect(parse(base).notify).toBeUndefined();
  expect(parse(`${base}notify_email = ops@example.org\n`).notify).toEqual({
    to: "ops@example.org",
    from: "postmaster",
  });
  expect(parse(`${base}notify_email ops\nnotify_from me@example.org\n`).notify).toEqual({
    to: "ops",
    from: "me@example.org",
  });
  expect(() => parse(`${base}notify_email a b\n`)).toThrow("line 3: notify_email: expected one address");
});
