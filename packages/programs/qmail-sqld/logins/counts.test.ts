import { expect, test } from "vitest";
import { prometheus } from "../figures/stats.ts";
import { openLoginCounts } from "./counts.ts";

test("attempts are counted by service and verdict; services that are not known, together", () => {
  const counts = openLoginCounts();
  expect(counts.figures()[0]?.values).toEqual([]);
  counts.note({ verdict: "refused", service: "smtp", port: "" });
  counts.note({ verdict: "refused", service: "", port: "25" });
  counts.note({ verdict: "accepted", service: "", port: "110" });
  for (let i = 0; i < 1000; i++) counts.note({ verdict: "trouble", service: `x${i}`, port: "" });
  counts.note({ verdict: "delayed", service: "", port: "" });
  const lines = prometheus(counts.figures()).split("\n");
  expect(lines).toContain('qmail_sqld_logins{service="smtp",verdict="refused"} 2');
  expect(lines).toContain('qmail_sqld_logins{service="pop3",verdict="accepted"} 1');
  expect(lines).toContain('qmail_sqld_logins{service="other",verdict="trouble"} 1000');
  expect(lines).toContain('qmail_sqld_logins{service="other",verdict="delayed"} 1');
  expect(lines.filter((line) => line.startsWith("qmail"))).toHaveLength(12);
});
