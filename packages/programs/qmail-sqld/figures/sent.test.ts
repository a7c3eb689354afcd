import { Trouble } from "@qmail-mysql/trouble";
import { expect, test } from "vitest";
import { InvalidQuestion } from "../answer.ts";
import { countQuestion, openSentCounters } from "./sent.ts";
import { prometheus } from "./stats.ts";

test("what several processes send is added", () => {
  const counters = openSentCounters();
  counters.add(["smtp_sessions", "2", "smtp_replies", "553", "5.7.1", "3", "smtp_replies", "250", "", "4"]);
  counters.add(["smtp_sessions", "1", "smtp_replies", "553", "5.7.1", "1"]);
  expect(
    prometheus(counters.figures()),
  ).toBe(`# HELP qmail_sqld_smtp_sessions sessions that workers of qmail-smtpd have begun
# TYPE qmail_sqld_smtp_sessions counter
qmail_sqld_smtp_sessions 3
# HELP qmail_sqld_smtp_replies replies of workers of qmail-smtpd
# TYPE qmail_sqld_smtp_replies counter
qmail_sqld_smtp_replies{code="553",reason="5.7.1"} 4
qmail_sqld_smtp_replies{code="250",reason=""} 4
`);
});

test.each([
  [["unknown", "1"]],
  [["smtp_sessions"]],
  [["smtp_sessions", "-1"]],
  [["smtp_sessions", "9".repeat(13)]],
  [["smtp_replies", "250", "1"]],
  [["smtp_replies", "a b", "", "1"]],
  [["constructor", "1"]],
])("invalid: %j", (fields) => {
  const counters = openSentCounters();
  expect(() => counters.add(fields)).toThrow(InvalidQuestion);
  expect(counters.figures()).toEqual([]);
});

test("a bounded number of labels", () => {
  const counters = openSentCounters();
  for (let i = 0; i < 2000; i++) counters.add(["smtp_replies", `${i}`, "", "1"]);
  const [figure] = counters.figures();
  expect(figure?.values.length).toBe(501);
  expect(figure?.values.at(-1)).toEqual({ labels: { code: "other", reason: "other" }, value: 1500 });
});

test("only trusted uids count", () => {
  const count = countQuestion(openSentCounters(), (uid) => uid === 1);
  expect(count(["smtp_sessions", "1"], () => 1)).toBe("F");
  expect(() => count(["smtp_sessions", "1"], () => 2)).toThrow(Trouble);
});
