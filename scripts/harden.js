// harden.js RUNTIME COPY: copies the runtime and disables the environment variables that make it run other code, open a
// debugger, write files, or accept any certificate. The first byte of their names is set to 0, which cannot be in an
// environment: for getenv(3) the name is then empty, and no comparison matches.
// Also makes the runtime exit 111, not 1, if it cannot start: after 1 qmail-lspawn bounces, and a login is refused.
import { chmodSync, readFileSync, writeFileSync } from "node:fs";

/** Prefixes of names, and how often each is in the runtime. Another count means a version that is not yet supported. */
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
  NODE_EXTRA_CA_CERTS: 3, // more certificates trusted
  NODE_USE_SYSTEM_CA: 2,
  SSL_CERT_FILE: 1,
  SSL_CERT_DIR: 1,
};

const [, , runtime, copy] = process.argv;
const bytes = readFileSync(runtime);
for (const [name, expected] of Object.entries(EXPECTED)) {
  let count = 0;
  for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at)) {
    const property = /(process|Bun)\.env\.$/.exec(bytes.toString("latin1", at - 12, at))?.[0];
    if (property) {
      // In the runtime's own JavaScript: a property that does not exist, with a name of the same length.
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
/**
 * Where the runtime exits 1, by machine (e_machine in ELF): calls of its function at `exit` with a constant, and
 * constants stored at `field` of its state, with which it exits after an uncaught error. The exit codes of programs are
 * not constants there.
 */
const EXITS = { 62: { exit: 0x3437340, calls: 226, field: 0x7dec, stores: 16 } }; // x86-64
const TEMPORARY = 111;

/** The executable segment: its positions in the file and in memory. */
function code() {
  const headers = Number(bytes.readBigUInt64LE(32));
  for (let i = 0; i < bytes.readUInt16LE(56); i++) {
    const at = headers + 56 * i;
    if (bytes.readUInt32LE(at) !== 1 || !(bytes.readUInt32LE(at + 4) & 1)) continue;
    const [offset, address, , size] = [8, 16, 24, 32].map((field) =>
      Number(bytes.readBigUInt64LE(at + field)),
    );
    return { offset, address, size };
  }
  throw new Error("no segment may be executed");
}

/** The positions of a byte sequence in that segment. */
function* places(sequence, { offset, size }) {
  const end = offset + size;
  for (let at = bytes.indexOf(sequence, offset); at >= 0 && at < end; at = bytes.indexOf(sequence, at + 1))
    yield at;
}

/** Replaces 1 with 111 at these positions. */
function temporary(what, ones, expected) {
  for (const at of ones) bytes[at] = TEMPORARY;
  if (ones.length === expected) return;
  console.error(`harden: ${runtime}: ${ones.length} ${what}, expected ${expected}: look before you ship`);
  process.exitCode = 1;
}

const exits = EXITS[bytes.readUInt16LE(18)];
if (exits) {
  const segment = code();
  const call = Buffer.from([0xbf, 1, 0, 0, 0, 0xe8]); // mov $1,%edi; call
  const calls = [...places(call, segment)].filter((at) => {
    const next = at + call.length + 4;
    return segment.address + (next - segment.offset) + bytes.readInt32LE(next - 4) === exits.exit;
  });
  temporary(
    "calls of exit(1)",
    calls.map((at) => at + 1),
    exits.calls,
  );
  // movb $1,field(register), also of %r12; movw $0x101, from the byte before it on
  const stores = [...places(Buffer.from([exits.field & 0xff, exits.field >> 8, 0, 0, 1]), segment)].filter(
    (at) =>
      (bytes[at - 2] === 0xc6 && bytes[at - 1] >> 3 === 0x10) || bytes.readUIntBE(at - 3, 3) === 0xc68424,
  );
  const pairs = [
    ...places(Buffer.from([(exits.field & 0xff) - 1, exits.field >> 8, 0, 0, 1, 1]), segment),
  ].filter((at) => bytes[at - 3] === 0x66 && bytes[at - 2] === 0xc7 && bytes[at - 1] >> 3 === 0x10);
  temporary("stores of 1", [...stores.map((at) => at + 4), ...pairs.map((at) => at + 5)], exits.stores);
} else console.error("harden: warning: on this machine the runtime exits 1, not 111, where it cannot start");

if (process.exitCode) process.exit();
writeFileSync(copy, bytes);
chmodSync(copy, 0o755);
