// harden.js RUNTIME COPY: copies the runtime with the environment variables out of reach that would make it run other
// code, open a debugger, write elsewhere, or accept a false certificate. Their names get a first byte of 0, which no
// entry of an environment has: neither getenv(3), to which the name is then empty, nor a comparison finds one.
import { chmodSync, readFileSync, writeFileSync } from "node:fs";

/** Beginnings of names, and how often each is in the runtime: another count is a runtime that nobody has looked at. */
const EXPECTED = {
  BUN_OPTIONS: 2, // arguments
  BUN_TCC_OPTIONS: 1, // of its C compiler
  BUN_BE_BUN: 1, // the plain runtime
  BUN_BYTECODE_: 4, // files to write
  BUN_INSPECT: 11, // a debugger, code before ours
  BUN_JSC_: 5, // options of the engine
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: 1, // files to write
  BUN_FEATURE_FLAG_: 38,
  BUN_CONFIG_: 25,
  BUN_DEBUG_: 4,
  BUN_INTERNAL_: 14,
  BUN_CRASH_REPORT_URL: 1,
  BUN_ENABLE_CRASH_REPORTING: 1,
  BUN_TRACE: 1, // a file to write
  BUN_DESTRUCT_VM_ON_EXIT: 1,
  BUN_GARBAGE_COLLECTOR_LEVEL: 2,
  NODE_TLS_REJECT_UNAUTHORIZED: 7, // certificates unchecked
};

const [, , runtime, copy] = process.argv;
const bytes = readFileSync(runtime);
for (const [name, expected] of Object.entries(EXPECTED)) {
  let count = 0;
  for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at)) {
    const property = /(process|Bun)\.env\.$/.exec(bytes.toString("latin1", at - 12, at))?.[0];
    if (property) {
      // The runtime's own JavaScript: a property of nothing, of the same length.
      let end = at + name.length;
      while (/[A-Z_]/.test(String.fromCharCode(bytes[end]))) end++;
      const start = at - property.length;
      bytes.write("({}).a".padEnd(end - start), start, "latin1");
    } else bytes[at] = 0;
    count++;
  }
  if (count !== expected) {
    console.error(
      `harden: ${name} is ${count} times in ${runtime}, expected ${expected}: look before you ship`,
    );
    process.exitCode = 1;
  }
}
if (process.exitCode) process.exit();
writeFileSync(copy, bytes);
chmodSync(copy, 0o755);
