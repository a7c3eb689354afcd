import { expect, test } from "vitest";
import { accountIsUsed, mailboxProblem } from "./home.ts";

const box = { username: "joe", uid: 1000, gid: 100, home: "/home/joe" };
const account = { name: "joe", uid: 1000, gid: 0, home: "/home/joe", shell: "/bin/sh" };
const hidden = () => ({ unusable: "access denied", hidden: true });

test.each([
  ["its owner's", box, { uid: 1000 }, undefined],
  ["another's", box, { uid: 0 }, "home /home/joe is owned by uid 0, not by its uid 1000"],
  ["none", box, { unusable: "file does not exist" }, "home /home/joe: file does not exist"],
  ["of root", { ...box, uid: 0 }, { uid: 0 }, "its uid is 0"],
  ["of root's group", { ...box, gid: 0 }, { uid: 1000 }, "its gid is 0"],
])("a mailbox with a home that is %s", (_, row, owner, problem) => {
  expect(mailboxProblem(row, () => owner)).toBe(problem);
});

test("a home that cannot be examined is trouble for a mailbox, and missing for a system account", () => {
  expect(() => mailboxProblem(box, hidden)).toThrow(
    'unable to stat home /home/joe of mailbox row "joe": access',
  );
  expect(accountIsUsed(account, hidden)).toBe(false);
});

test("a system account is used as stock qmail-getpw uses it", () => {
  expect(accountIsUsed(account, () => ({ uid: 1000 }))).toBe(true);
  expect(accountIsUsed(account, () => ({ uid: 1001 }))).toBe(false);
  expect(accountIsUsed({ ...account, uid: 0 }, () => ({ uid: 0 }))).toBe(false);
});
