import { expect, test } from "vitest";
import { openShares as open } from "./shares.ts";

/** Admits a member and adds it. */
function openShares<T extends object>(total: number, isPrivileged: (owner: number) => boolean) {
  const shares = open<T>(total, isPrivileged);
  const admit = (owner: number, member: T) => {
    const place = shares.admit(owner);
    if (place !== "refused") shares.add(owner, member);
    return place;
  };
  return Object.assign(Object.create(shares) as typeof shares, { admit });
}

interface Member {
  readonly name: string;
}
const ROOT = 0;
const shares = (total: number) => openShares<Member>(total, (owner) => owner === ROOT);
const many = (n: number, name: string) => Array.from({ length: n }, (_, i) => ({ name: `${name}${i}` }));

test("one owner has at most half of the places that are not kept for the privileged", () => {
  const room = shares(16);
  const flood = many(7, "x");
  for (const member of flood.slice(0, 6)) expect(room.admit(64, member)).toEqual({ close: undefined });
  expect(room.admit(64, flood[6] as Member)).toEqual({ close: flood[0] });
  expect(room.size).toBe(6);
});

test("an owner that floods closes its own members only", () => {
  const room = shares(16);
  const honest = { name: "honest" };
  room.admit(65, honest);
  for (const member of many(1000, "x")) {
    const where = room.admit(64, member);
    expect(where === "refused" ? where : where.close).not.toBe(honest);
  }
  expect([...room.members()]).toContain(honest);
});

test("a busy member is never closed: the new one is refused instead", () => {
  const room = shares(16);
  for (const member of many(6, "x")) {
    room.admit(64, member);
    room.busy(member);
  }
  expect(room.admit(64, { name: "one more" })).toBe("refused");
  expect(room.admit(65, { name: "another's" })).toEqual({ close: undefined });
});

test("when it is full, a member of the owner with the most is closed", () => {
  const room = shares(16); // 12 are for everybody
  const few = many(2, "few");
  const floods = [many(6, "a"), many(4, "b")];
  for (const member of few) room.admit(65, member);
  floods.forEach((flood, i) => {
    for (const member of flood) room.admit(70 + i, member);
  });
  expect(room.admit(65, { name: "third" })).toEqual({ close: floods[0]?.[0] });
  // A new member does not close one of an owner that has as few as its own owner.
  const even = shares(4); // 3 are for everybody
  for (const owner of [71, 72, 73]) even.admit(owner, { name: `${owner}` });
  expect(even.admit(74, { name: "74" })).toEqual({ close: { name: "71" } });
  expect(even.admit(72, { name: "again" })).toEqual({ close: { name: "72" } });
});

test("the privileged have places of their own, and close others' before their own", () => {
  const room = shares(8); // 6 are for everybody
  for (const owner of [71, 72]) for (const member of many(3, `${owner}-`)) room.admit(owner, member);
  expect(room.admit(73, { name: "73" })).toEqual({ close: { name: "71-0" } });
  expect(room.admit(ROOT, { name: "root0" })).toEqual({ close: undefined });
  expect(room.admit(ROOT, { name: "root1" })).toEqual({ close: undefined });
  expect(room.admit(ROOT, { name: "root2" })).toEqual({ close: { name: "72-0" } });
});

test("the longest idle member is closed first", () => {
  const room = shares(4); // one owner has one place
  const two = openShares<Member>(4, () => true);
  const [a, b, c, d] = many(4, "m") as [Member, Member, Member, Member];
  for (const member of [a, b, c, d]) two.admit(ROOT, member);
  two.busy(a);
  two.idle(a);
  expect(two.admit(ROOT, { name: "new" })).toEqual({ close: b });
  expect(room.admit(64, a)).toEqual({ close: undefined });
  expect(room.admit(64, b)).toEqual({ close: a });
  room.remove(b);
  expect(room.size).toBe(0);
  expect(room.admit(64, a)).toEqual({ close: undefined });
});
