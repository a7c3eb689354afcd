import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { remembering } from "./remember.ts";

const dir = mkdtempSync(join(tmpdir(), "remember-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** Counts the reads of two files, of which the second does not exist, and the closes. */
function counted() {
  const file = join(dir, `${Math.random()}`);
  writeFileSync(file, "a");
  const seen = { reads: 0, closed: [] as number[] };
  const open = remembering([file, `${file}.none`], () => {
    const read = ++seen.reads;
    return { read, close: () => void seen.closed.push(read) };
  });
  return { file, seen, open };
}

test("a file that has just changed is read each time; later only after a change", async () => {
  const { file, seen, open } = counted();
  open().close();
  open().close();
  expect(seen).toEqual({ reads: 2, closed: [1] });
  await sleep(3100);
  for (let i = 0; i < 5; i++) open().close();
  expect(seen.reads).toBe(3);
  writeFileSync(file, "b"); // the same size
  expect(open().read).toBe(4);
  writeFileSync(`${file}.none`, "");
  expect(open().read).toBe(5);
});

test("a file replaced by an older one is a change", async () => {
  const { file, seen, open } = counted();
  await sleep(3100);
  open();
  writeFileSync(`${file}.old`, "a");
  utimesSync(`${file}.old`, 1, 1);
  renameSync(`${file}.old`, file);
  open();
  expect(seen.reads).toBe(2);
});

test("what was read is closed when it was replaced and is not used any more", async () => {
  const { file, seen, open } = counted();
  await sleep(3100);
  const [one, two] = [open(), open()];
  expect(one.read).toBe(1);
  one.close();
  one.close();
  writeFileSync(file, "bb");
  const three = open();
  expect(seen.closed).toEqual([]);
  two.close();
  expect(seen.closed).toEqual([1]);
  three.close();
  expect(seen.closed).toEqual([1]);
});
