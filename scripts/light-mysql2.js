// light-mysql2.js FROM TO bun|node: copies mysql2 without the names of errors; for Bun, modules that a lookup without
// TLS does not need are loaded at their first use.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const [, , from, to, kind] = process.argv;

/**
 * mysql2 defines names for 5,000 errors, which is a twelfth of the instructions of a lookup. Errors are reported with
 * the server's message and distinguished by number; mysql2's pool uses these three.
 */
const ERRORS = `module.exports = { ER_OPTION_PREVENTS_STATEMENT: 1290,
  ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION: 1792, ER_READ_ONLY_MODE: 1836 };
`;

/** A module that loads another one when its exports are first used. */
const later = (load, rest = "module.exports = whole;") => `let module_;
const load = () => (module_ ??= ${load});
const whole = new Proxy(() => {}, { get: (_, key) => load()[key], apply: (_, __, args) => load()(...args) });
${rest}
`;
const builtin = (name) => `process.getBuiltinModule("node:${name}")`;
/**
 * Modules that mysql2 imports but a lookup without TLS does not use (edges/mysql/light-stream.ts, disableEval). Of
 * node:crypto it needs one digest, which the runtime provides without it.
 */
const LATER = {
  net: later(builtin("net")),
  tls: later(builtin("tls")),
  zlib: later(builtin("zlib")),
  stream: later(
    builtin("stream"),
    `module.exports = {
  Readable: new Proxy(function () {}, { construct: (_, args) => new (load().Readable)(...args) }) };`,
  ),
  url: "module.exports = { URL };\n",
  crypto: later(
    builtin("crypto"),
    `const createHash = (name) => {
  const hasher = new Bun.CryptoHasher(name);
  const hash = { update: (data) => (hasher.update(data), hash), digest: () => Buffer.from(hasher.digest()) };
  return hash;
};
module.exports = new Proxy({}, { get: (_, key) => (key === "createHash" ? createHash : load()[key]) });`,
  ),
  "iconv-lite": later(`require("iconv-lite")`),
  "generate-function": later(`require("generate-function")`),
};
const ASKED = new RegExp(`\\brequire\\('(${Object.keys(LATER).join("|")})'\\)`, "g");

rmSync(to, { recursive: true, force: true });
cpSync(from, to, { recursive: true });
writeFileSync(join(to, "lib/constants/errors.js"), ERRORS);
if (kind === "node") process.exit();

const missed = new Set(Object.keys(LATER));
for (const name of readdirSync(join(to, "lib"), { recursive: true })) {
  if (!name.endsWith(".js")) continue;
  const file = join(to, "lib", name);
  const up = relative(dirname(file), join(to, "later"));
  const text = readFileSync(file, "utf8").replace(ASKED, (_, asked) => {
    missed.delete(asked);
    return `require('${up}/${asked}.js')`;
  });
  writeFileSync(file, text);
}
if (missed.size > 0) {
  console.error(`light-mysql2: mysql2 no longer asks for ${[...missed].join(", ")}: look at LATER`);
  process.exit(1);
}
mkdirSync(join(to, "later"));
for (const [name, text] of Object.entries(LATER)) writeFileSync(join(to, "later", `${name}.js`), text);
