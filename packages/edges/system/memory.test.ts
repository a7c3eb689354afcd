import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { memoryLimit } from "./memory.ts";

const MEMINFO = "MemTotal:        4096 kB\nMemFree:         1 kB\n";

test.each<[string, Record<string, string>, number]>([
  ["the machine's", { "proc/self/cgroup": "0::/\n" }, 4096],
  [
    "a group of version 2, max being none",
    { "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n" },
    4096,
  ],
  [
    "the group around it",
    { "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/memory.max": "1048576\n" },
    1024,
  ],
  [
    "a container's, whose groups look like the root",
    { "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "2097152\n" },
    2048,
  ],
  [
    "a group of version 1",
    {
      "proc/self/cgroup": "5:cpu:/c\n4:memory:/a\n0::/\n",
      "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1048576\n",
    },
    1024,
  ],
  [
    "no limit of version 1",
    {
      "proc/self/cgroup": "4:memory:/\n",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    },
    4096,
  ],
])("%s", (_, files, kilobytes) => {
  const root = mkdtempSync(join(tmpdir(), "memory-"));
  for (const [file, text] of Object.entries({ "proc/meminfo": MEMINFO, ...files })) {
    mkdirSync(join(root, file, ".."), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  expect(memoryLimit(root)).toBe(kilobytes * 1024);
  rmSync(root, { recursive: true });
});

test("this machine has memory", () => expect(memoryLimit()).toBeGreaterThan(1 << 24));
