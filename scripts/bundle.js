// bundle.js bun PRODUCT RUNTIME | bundle.js node PRODUCT NODE: run by Bun, makes the executable, or the script for
// a Node, out of packages/programs/multicall. The configuration of conf/ is put in here.
import { readFileSync } from "node:fs";

const [, , kind, product, runtime] = process.argv;

/** Line 1 of a file of conf/, as a literal. */
const conf = (name) => JSON.stringify(readFileSync(`conf/${name}`, "utf8").split("\n", 1)[0]);

/**
 * mysql2 names 5,000 errors, a twelfth of all that one look-up executes. We report the server's own words and
 * tell errors by their numbers; its pool compares with these three.
 */
const errorNames = {
  name: "error-names",
  setup(build) {
    const contents = `module.exports = { ER_OPTION_PREVENTS_STATEMENT: 1290,
      ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION: 1792, ER_READ_ONLY_MODE: 1836 };`;
    build.onLoad({ filter: /\/mysql2\/lib\/constants\/errors\.js$/ }, () => ({ contents, loader: "js" }));
  },
};

/**
 * Modules that mysql2 asks for when it is loaded and a look-up over a plain connection never uses
 * (store/light-stream.ts, disableEval): loaded at their first use. Of node:crypto it needs one digest, which the
 * runtime has without it.
 */
const later = (load, rest = "module.exports = whole;") => `let module_;
  const load = () => (module_ ??= ${load});
  const whole = new Proxy(() => {}, { get: (_, key) => load()[key], apply: (_, __, args) => load()(...args) });
  ${rest}`;
const builtin = (name) => `process.getBuiltinModule("node:${name}")`;
const own = (name) =>
  `require(${JSON.stringify(Bun.resolveSync(name, `${process.cwd()}/node_modules/mysql2`))})`;
const LATER = {
  net: later(builtin("net")),
  tls: later(builtin("tls")),
  zlib: later(builtin("zlib")),
  stream: later(
    builtin("stream"),
    `module.exports = {
      Readable: new Proxy(function () {}, { construct: (_, args) => new (load().Readable)(...args) }) };`,
  ),
  url: "module.exports = { URL };",
  crypto: later(
    builtin("crypto"),
    `const createHash = (name) => {
      const hasher = new Bun.CryptoHasher(name);
      const hash = { update: (data) => (hasher.update(data), hash), digest: () => Buffer.from(hasher.digest()) };
      return hash;
    };
    module.exports = new Proxy({}, { get: (_, key) => (key === "createHash" ? createHash : load()[key]) });`,
  ),
  "iconv-lite": later(own("iconv-lite")),
  "generate-function": later(own("generate-function")),
};
/** The runtime's own modules do not pass by a resolver: the driver's text is made to ask for ours. */
const ASKED = new RegExp(`\\brequire\\('(${Object.keys(LATER).join("|")})'\\)`, "g");
const asked = new Set();
const loadLater = {
  name: "load-later",
  setup(build) {
    build.onLoad({ filter: /\/mysql2\/lib\/(?!constants\/errors).*\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace(ASKED, (_, name) => {
        asked.add(name);
        return `require("later:${name}")`;
      }),
      loader: "js",
    }));
    build.onResolve({ filter: /^later:/ }, ({ path }) => ({ path: path.slice(6), namespace: "later" }));
    build.onLoad({ filter: /./, namespace: "later" }, ({ path }) => ({
      contents: LATER[path],
      loader: "js",
    }));
  },
};

const common = {
  entrypoints: ["packages/programs/multicall/main.ts"],
  minify: true,
  format: "esm",
  define: { CONF_QMAIL: conf("conf-qmail"), CONF_BREAK: conf("conf-break"), CONF_ALIAS: conf("conf-users") },
  plugins: [errorNames],
};

const kinds = {
  bun: {
    ...common,
    plugins: [errorNames, loadLater],
    bytecode: true,
    splitting: true, // a chunk per program: each loads its own modules and no other's
    compile: {
      outfile: product,
      executablePath: runtime,
      jitPolicy: 10, // times the usual threshold: these programs end before compiled code pays
      // Files of these names in the current directory would be code that runs as root.
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  },
  node: {
    ...common,
    target: "node",
    banner: `#!${runtime} --disable-warning=ExperimentalWarning`,
  },
};

const result = await Bun.build(kinds[kind]);
for (const log of result.logs) console.error(String(log));
if (!result.success) process.exit(1);
const missed = kind === "bun" ? Object.keys(LATER).filter((name) => !asked.has(name)) : [];
if (missed.length > 0) {
  console.error(`bundle: mysql2 no longer asks for ${missed.join(", ")}: look at LATER`);
  process.exit(1);
}
if (kind === "node") await Bun.write(product, result.outputs[0]);
