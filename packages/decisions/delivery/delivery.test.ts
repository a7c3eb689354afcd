import type { Instruction } from "@qmail-mysql/dotqmail";
import { envelope } from "@qmail-mysql/queue";
import { describe, expect, test } from "vitest";
import { afterProgram, afterQueue, type DeliveryPorts, deliver, Failure, report } from "./index.ts";

const failure = (call: () => unknown): string => {
  try {
    call();
    return "ok";
  } catch (error) {
    return error instanceof Failure ? `${error.code} ${error.message}` : "another error";
  }
};

test("a program's exit code: facts, 3.8", () => {
  const hard = [64, 65, 70, 76, 77, 78, 100, 112];
  for (let code = 0; code < 256; code++) {
    const expected = code === 0 || code === 99 ? "ok" : hard.includes(code) ? "100 " : "111 ";
    expect([code, failure(() => afterProgram({ pid: 1, code }))]).toEqual([code, expected]);
  }
  expect(failure(() => afterProgram({ pid: 1, code: undefined }))).toBe("111 Aack, child crashed. (#4.3.0)");
});

test.each([
  // observed behaviour of stock qmail-local
  [0, "", "ok"],
  [11, "", "100 Unable to forward message: envelope address too long for qq (#5.1.3)."],
  [31, "", "100 Unable to forward message: mail server permanently rejected message (#5.3.0)."],
  [40, "", "100 Unable to forward message: qq permanent problem (#5.3.0)."],
  [41, "", "111 Unable to forward message: qq temporary problem (#4.3.0)."],
  [53, "", "111 Unable to forward message: qq write error or disk full (#4.3.0)."],
  [100, "", "111 Unable to forward message: qq temporary problem (#4.3.0)."],
  [111, "", "111 Unable to forward message: qq temporary problem (#4.3.0)."],
  [115, "", "100 Unable to forward message: envelope address too long for qq (#5.1.3)."],
  [120, "", "111 Unable to forward message: unable to exec qq (#4.3.0)."],
  [82, "Dgo away", "100 Unable to forward message: go away."],
  [82, "Zlater", "111 Unable to forward message: later."],
  [82, "Dx", "111 Unable to forward message: qq temporary problem (#4.3.0)."],
  [53, "Dx", "111 Unable to forward message: qq write error or disk full (#4.3.0)."],
])("qmail-queue exits %i and says %j: %s", (code, custom, expected) => {
  expect(failure(() => afterQueue({ pid: 1, code }, custom))).toBe(expected);
});

test("the envelope", () => {
  expect(envelope("s@h", ["a@b", "c@d"])).toBe("Fs@h\0Ta@b\0Tc@d\0\0");
});

describe("deliver()", () => {
  const asked = (...words: string[]): Instruction[] =>
    words.map((word) => {
      if (word.startsWith("|")) return { kind: "program", command: word.slice(1) };
      return word.includes("@") ? { kind: "forward", address: word } : { kind: "mbox", name: word };
    });
  const recorded = () => {
    const did: string[] = [];
    const ports: DeliveryPorts = {
      maildir: (dir) => did.push(dir),
      mbox: (file) => {
        if (file === "full") throw new Failure(111, "full");
        did.push(file);
      },
      program: (command) => {
        did.push(command);
        return { pid: 1, code: Number(command) };
      },
      forward: (recipients) => {
        did.push(recipients.join());
        return 77;
      },
    };
    return { did, ports };
  };
  test.each([
    [["a@b", "box", "c@d", "|0"], ["box", "0", "a@b,c@d"], "did 1+2+1\nqp 77\n"],
    [["a@b", "|99", "c@d", "box"], ["99", "a@b"], "did 0+1+1\nqp 77\n"],
    [["|99", "c@d"], ["99"], "did 0+0+1\n"],
    [[], [], "did 0+0+0\n"],
  ])("%j", (words, expected, line) => {
    const { did, ports } = recorded();
    expect(report(deliver(asked(...words), ports))).toBe(line);
    expect(did).toEqual(expected);
  });
  test.each([[["a@b", "box", "full", "|0"]], [["a@b", "box", "|100"]]])(
    "%j: nothing is forwarded",
    (words) => {
      const { did, ports } = recorded();
      expect(() => deliver(asked(...words), ports)).toThrow(Failure);
      expect(did.join()).not.toContain("@");
    },
  );
});
