// keep.ts PART BEGAN BEFORE AFTER ENDED: stores the lines of RESULTS as the results of the part. BEGAN is in seconds
// since the epoch, BEFORE and AFTER are load averages.
import { readFileSync } from "node:fs";
import { keep } from "./kept.ts";
import { commit, machine } from "./machine.ts";

const [part = "", began = "", before = "", after = "", ended = ""] = process.argv.slice(2);
const lines = readFileSync(process.env.RESULTS ?? "", "utf8").split("\n");
const start = new Date(Number(began) * 1000);
keep(part, {
  when: start.toISOString().slice(0, 16).replace("T", " "),
  seconds: Math.round((Date.now() - start.getTime()) / 1000),
  load: [Number(before), Number(after)],
  ended: ended === "true",
  commit: commit(),
  machine: machine(),
  lines: lines.filter(Boolean).map((line) => JSON.parse(line)),
});
