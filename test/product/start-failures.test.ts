import { describe, expect, test } from "vitest";
import { BIN, run } from "../lib/program.ts";

// What ends the runtime before a line of ours is run: never with 1, a bounce for qmail-lspawn and a wrong password for
// who calls checkpassword.

const CONDITIONS: readonly (readonly [string, string])[] = [
  ["5 descriptors, of which 0 to 3 are open", "ulimit -n 5"],
  ["6 descriptors", "ulimit -n 6"],
  ["a stack of 128 KB", "ulimit -s 128"],
  ["a stack of 64 KB", "ulimit -s 64"],
  ["a directory that was deleted", 'dir=$(mktemp -d) && cd "$dir" && rmdir "$dir"'],
  ["200 MB of address space", "ulimit -v 200000"],
  ["100 MB of address space", "ulimit -v 100000"],
];
const PROGRAMS = {
  checkpassword: ["true"],
  "qmail-getpw": ["joe"],
  "qmail-local": ["joe", "/", "joe", "", "", "", "", "./Maildir/"],
};

describe.each(CONDITIONS)("%s", (_what, condition) => {
  test.each(Object.entries(PROGRAMS))("%s: trouble", async (program, args) => {
    const script = `ulimit -c 0; ${condition} && exec "$0" "$@"`;
    const home = { QMAIL_HOME: "/nonexistent" };
    const { code, signal, stdout } = await run("/bin/sh", ["-c", script, `${BIN}/${program}`, ...args], {
      env: home,
      fd3: "joe\0secret\0\0",
    });
    const outcome = signal === null ? code : "signal";
    expect(condition.includes("-v") ? ["signal"] : [111, 118]).toContain(outcome);
    expect(stdout).toBe("");
  });
});
