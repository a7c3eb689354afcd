// harden.js RUNTIME COPY: copies the runtime with the environment variables out of reach that would make it
// run other code: BUN_OPTIONS, BUN_BE_BUN and BUN_BYTECODE_*. "=" cannot begin a variable's name.
import { chmodSync, readFileSync, writeFileSync } from "node:fs";

const EXPECTED = { BUN_OPTIONS: 2, BUN_BE_BUN: 1, BUN_BYTECODE_: 4 };

const [, , runtime, copy] = process.argv;
const bytes = readFileSync(runtime);
for (const [name, expected] of Object.entries(EXPECTED)) {
  let count = 0;
  for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at)) {
    bytes[at] = "=".charCodeAt(0);
    count++;
  }
  if (count !== expected) {
    console.error(
      `harden: ${name} is ${count} times in ${runtime}, expected ${expected}: look before you ship`,
    );
    process.exit(1);
  }
}
writeFileSync(copy, bytes);
chmodSync(copy, 0o755);
