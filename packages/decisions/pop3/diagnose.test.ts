import { expect, test } from "vitest";
import { diagnose, type Seen } from "./diagnose.ts";

const UID = 800;
const may = { read: true, write: true, search: true };
const good: Seen = { isDirectory: true, uid: UID, gid: 100, mode: 0o700, may };
const failing = (failure: string): Seen => ({ ...good, isDirectory: false, failure });

const TREE = ["/", "/home", "/home/iain"];

test.each<[string, Record<string, Seen>, string[]]>([
  ["all well", {}, []],
  [
    "only the first directory above is named",
    { "/": good, "/home": failing("ENOENT") },
    ["/home does not exist"],
  ],
  [
    "a directory above need not be the user's, nor be read",
    { "/home": { ...good, uid: 0, may: { read: false, write: false, search: true } } },
    [],
  ],
  [
    "one that is not searchable",
    { "/home": { ...good, uid: 0, gid: 0, mode: 0o4700, may: { ...may, search: false } } },
    ["/home is not searchable by uid 800: it is owned by uid 0 gid 0, mode 4700"],
  ],
  ["a file above", { "/home": { ...good, isDirectory: false } }, ["/home is not a directory"]],
  [
    "an answer without a name of ours",
    { "/home/iain/Maildir": failing("ESTALE") },
    ["/home/iain/Maildir cannot be reached: ESTALE"],
  ],
  [
    "several at once",
    {
      "/home/iain/Maildir/cur": failing("ENOENT"),
      "/home/iain/Maildir/tmp": { ...good, uid: 0, mode: 0o755, gid: 0, may: { ...may, write: false } },
    },
    [
      "/home/iain/Maildir/cur does not exist",
      "/home/iain/Maildir/tmp is owned by uid 0, not by uid 800",
      "/home/iain/Maildir/tmp is not writable by uid 800: it is owned by uid 0 gid 0, mode 0755",
    ],
  ],
])("%s", (_, seen, expected) => {
  const asked: string[] = [];
  const look = (path: string) => {
    asked.push(path);
    return seen[path] ?? good;
  };
  expect(diagnose("/home/iain/Maildir", UID, look)).toEqual(expected);
  expect(asked.slice(0, 3)).toEqual(TREE);
});
