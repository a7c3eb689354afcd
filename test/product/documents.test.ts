import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseSql, parseSqlServer } from "@qmail-mysql/control";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseSettings as parseLspawnSettings } from "../../packages/programs/qmail-lspawn/settings.ts";
import { parseSettings as parseSqldSettings } from "../../packages/programs/qmail-sqld/settings.ts";
import { run } from "../lib/program.ts";
import { makeWorld, type World } from "../lib/world.ts";

const TOP = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(TOP, file), "utf8");

/** Every manual page by its name and section, as in "qmail-getpw.8". */
const manuals = new Map(
  readdirSync(join(TOP, "packages"), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.[578]$/.test(file) && !file.includes("node_modules"))
    .map((file) => [basename(file), read(`packages/${file}`)]),
);
const page = (name: string) => manuals.get(name) ?? expect.fail(`no manual page ${name}`);
const programs = [...manuals.keys()].filter((name) => name.endsWith(".8")).map((name) => name.slice(0, -2));

/** The text of a section of a page, without its macros. */
function section(name: string, title: string): string {
  const text = page(name)
    .split(`.Sh ${title}\n`)[1]
    ?.split(/^\.Sh /m)[0];
  return text ?? expect.fail(`${name} has no section ${title}`);
}

/** The exit codes that a page names. "Always 1", "100 for wrong usage", ".It 111". */
function documented(name: string): number[] {
  const text = section(name, "EXIT STATUS").replace(/descriptor \d|^\.Xr .*/gim, "");
  const codes = text.matchAll(/(?:^|[\s.;])(\d{1,3})(?=[\s,;:]|$)/gm);
  return [...codes].map(([, code]) => Number(code)).filter((code) => code < 256);
}

describe("what a program exits with is in its manual", () => {
  let world: World;
  beforeAll(() => {
    world = makeWorld();
  });
  afterAll(() => world.remove());

  test.each(programs)(
    "%s without arguments, with too many, and without any control file",
    async (program) => {
      const codes = documented(`${program}.8`);
      for (const args of [[], ["a"], ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]]) {
        const { code } = await run(program, args, { env: world.env, fd3: "a\0b\0c\0" });
        expect(codes, `${program} ${args.join(" ")}`).toContain(code);
      }
    },
  );

  test("README's table names the codes that the manuals name, and no other", () => {
    const rows = read("README.md").matchAll(/^\| ([0-9, ]+?) *\|/gm);
    const named = [...rows].flatMap(([, codes]) => (codes ?? "").split(",").map(Number));
    const own = programs.flatMap((program) => documented(`${program}.8`));
    expect([...new Set(named)].sort()).toEqual([...new Set(own)].sort());
  });

  test.each(programs)("%s: 1 is refused, and README names the programs that use it", (program) => {
    const row = /^\| 1 *\|(.*)$/m.exec(read("README.md"))?.[1] ?? expect.fail("README has no row for 1");
    const uses = documented(`${program}.8`).includes(1);
    expect(row.includes(`\`${program}\``)).toBe(uses);
  });
});

describe("defaults in manuals are the defaults of the code", () => {
  const camel = (key: string) => key.replace(/_(.)/g, (_, c: string) => c.toUpperCase());

  // .It key Ta default Ta meaning; a default of another key's name is that key's value
  test.each([
    ["qmail-sqld.8", parseSqldSettings("", "") as unknown],
    ["qmail-lspawn.8", parseLspawnSettings("", "", 2 ** 40) as unknown],
  ])("%s", (name, settings) => {
    const values = settings as Readonly<Record<string, unknown>>;
    const rows = [...page(name).matchAll(/^\.It (\w+) Ta (\S+) Ta /gm)].filter(([, key]) => key !== "Sy");
    expect(rows.length).toBeGreaterThan(3);
    for (const [, key = "", told = ""] of rows) {
      const value = values[camel(key)];
      if (typeof value !== "number" || told === "\\-" || told === "see") continue;
      const other = values[camel(told)];
      expect(
        `${key} ${typeof other === "number" ? other : Number(/^0\d/.test(told) ? `0o${told}` : told)}`,
      ).toBe(`${key} ${value}`);
    }
  });

  const sqlserver = parseSqlServer("login l\ndb d\nserver s\n", "");
  const sql = parseSql("server s\ndatabase d\nuser u\n", "");
  test.each([
    ["sqlserver.5", "timeout", /From 1 to 3600, by default (\d+)/, String(sqlserver.timeout)],
    [
      "sqlserver.5",
      "home_mismatch",
      /\.It Cm home_mismatch[\s\S]*?\.Cm (\w+)(?: ,)?\n(?:the|is the) default/,
      sqlserver.homeMismatch,
    ],
    ["sql.5", "timeout", /from 0\.01 to 60; the default is (\d[\d.]*\d|\d)/, String(sql.timeout)],
  ])("%s: %s", (name, _key, pattern, value) => {
    expect(pattern.exec(page(name))?.[1]).toBe(value);
  });
});

test("README names every program, and each has its manual", () => {
  const rows = [...read("README.md").matchAll(/^\| (`[^|]*`) *\|[^|]*\|([^|]*)\|$/gm)];
  const listed = rows.flatMap(([, names = ""]) => [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  expect(new Set(listed)).toEqual(new Set(programs));
});

const versioned = [...read("packages/programs/manifest").matchAll(/^(\S+) .* version$/gm)].map(
  ([, name = ""]) => name,
);
test.each(["qmail-mysql", ...versioned])("%s --version prints the version", async (program) => {
  const { code, stdout } = await run(program, ["--version"], {});
  expect([code, stdout]).toEqual([0, `${JSON.parse(read("package.json")).version}\n`]);
});

test("the files that ARCHITECTURE.md names are there", () => {
  const files = readdirSync(TOP, { recursive: true, encoding: "utf8" }).filter(
    (file) => !file.includes("node_modules"),
  );
  const named = [...read("ARCHITECTURE.md").matchAll(/`([\w/.-]+\.(?:ts|sh))`/g)].map(
    ([, file]) => `/${file}`,
  );
  expect(named.filter((name) => !files.some((file) => `/${file}`.endsWith(name)))).toEqual([]);
});
