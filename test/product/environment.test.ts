import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlite } from "../lib/databases.ts";
import { run, visible } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// Root runs these programs in directories, and with environments, that others choose.

const UID = 64800;

describe.skipIf(!isRoot)("what changes nothing", () => {
  const world = makeWorld();
  const home = world.user("iain", UID);
  const trap = world.user("trap", UID);
  const sprung = join(trap, "sprung");
  const bin = join(trap, "bin");

  beforeAll(() => {
    sqlite.prepare(world).sql(mailboxRow({ name: "iain", uid: UID, home: home, password: "secret" }));
    const plant = (name: string, text: string) => writeFileSync(join(trap, name), text);
    for (const name of [".env", ".env.local", ".env.production", ".env.development"]) {
      plant(name, "QMAIL_HOME=/nonexistent\nBUN_OPTIONS=--preload=./evil.js\n");
    }
    plant("evil.js", `require("node:fs").writeFileSync("${sprung}", "js"); process.exit(99);\n`);
    plant("bunfig.toml", 'preload = ["./evil.js"]\n[run]\nshell = "bun"\n');
    plant(".bunfig.toml", 'preload = ["./evil.js"]\n');
    plant("package.json", '{ "type": "commonjs", "main": "./evil.js" }\n');
    plant("tsconfig.json", '{ "compilerOptions": { "paths": { "*": ["./evil.js"] } } }\n');
    mkdirSync(bin);
    for (const name of ["getent", "sh", "node", "bun"]) {
      writeFileSync(join(bin, name), `#!/bin/sh\necho ${name} >${sprung}\nexit 99\n`);
      chmodSync(join(bin, name), 0o755);
    }
  });
  afterAll(() => world.remove());

  const evil = join(trap, "evil.js");
  test.each<[string, Record<string, string>]>([
    ["files in the directory it is run in", {}],
    ["files in $HOME", { HOME: trap, XDG_CONFIG_HOME: trap }],
    ["BUN_OPTIONS", { BUN_OPTIONS: `--preload=${evil}` }],
    ["BUN_OPTIONS with a configuration", { BUN_OPTIONS: `--config=${trap}/bunfig.toml` }],
    ["BUN_BE_BUN", { BUN_BE_BUN: "1" }],
    ["BUN_INSPECT_PRELOAD", { BUN_INSPECT_PRELOAD: evil }],
    ["BUN_OPTIONS without its first letter", { UN_OPTIONS: "--help", "=UN_OPTIONS": "--help" }],
    ["BUN_BE_BUN with another first letter", { "=UN_BE_BUN": "1" }],
    ["BUN_INSPECT", { BUN_INSPECT: "unix:/proc/self/cwd/debugger" }],
    ["BUN_INSPECT_CONNECT_TO", { BUN_INSPECT_CONNECT_TO: "unix:/proc/self/cwd/debugger" }],
    ["BUN_INSPECT_NOTIFY", { BUN_INSPECT_NOTIFY: "unix:///proc/self/cwd/debugger", BUN_INSPECT: "1" }],
    ["BUN_TCC_OPTIONS", { BUN_TCC_OPTIONS: "-v" }],
    ["BUN_BYTECODE_ORDER_OUT", { BUN_BYTECODE_ORDER_OUT: sprung, BUN_BYTECODE_DIGEST_OUT: sprung }],
    ["BUN_TRACE", { BUN_TRACE: sprung }],
    ["BUN_DESTRUCT_VM_ON_EXIT", { BUN_DESTRUCT_VM_ON_EXIT: "1" }],
    ["BUN_FEATURE_FLAG_*", { BUN_FEATURE_FLAG_INTERNAL_FOR_TESTING: "1", BUN_FEATURE_FLAG_NO_ORPHANS: "1" }],
    ["BUN_CONFIG_VERBOSE_FETCH", { BUN_CONFIG_VERBOSE_FETCH: "1" }],
    ["BUN_GARBAGE_COLLECTOR_LEVEL", { BUN_GARBAGE_COLLECTOR_LEVEL: "2" }],
    ["BUN_RUNTIME_TRANSPILER_CACHE_PATH", { BUN_RUNTIME_TRANSPILER_CACHE_PATH: trap }],
    ["NODE_OPTIONS", { NODE_OPTIONS: `--require=${evil}` }],
    ["NODE_PATH and NODE_ENV", { NODE_PATH: trap, NODE_ENV: "production" }],
    ["a PATH of other programs", { PATH: bin }],
    ["an empty PATH", { PATH: "" }],
    ["a locale that does not exist", { LC_ALL: "xx_XX.UTF-9", LANG: "xx" }],
    ["a locale of other capitals", { LC_ALL: "tr_TR.UTF-8" }],
    ["a time zone that does not exist", { TZ: ":/nonexistent" }],
  ])("%s", async (_what, more) => {
    const how = { cwd: trap, env: { ...world.env, ...more } };
    const login = (fd3: string) =>
      run("checkpassword", ["/bin/sh", "-c", "/usr/bin/id -u; pwd"], { ...how, fd3 });
    const getpw = async (local: string) => visible((await run("qmail-getpw", [local], how)).stdout);

    expect(await getpw("IAIN-x")).toBe(`iain|${UID}|${UID}|${home}|-|x|`);
    expect(await getpw("joe")).toMatch(/^joe\|64020\|64020\|/);
    const { code, stdout, stderr } = await login("IAIN\0secret\0x\0");
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${UID}\n${home}\n`, stderr: "" });
    expect((await login("iain\0wrong\0x\0")).code).toBe(1);
    expect((await login("joe\0system\0x\0")).stdout).toMatch(/^64020\n/);
    expect(existsSync(sprung)).toBe(false);
  });
});
