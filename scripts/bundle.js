// bundle.js bun PRODUCT RUNTIME | bundle.js node PRODUCT NODE: run by Bun, makes the executable, or the script for
// a Node, out of packages/multicall. The configuration of conf/ is put in here.
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

const common = {
  entrypoints: ["packages/multicall/main.ts"],
  minify: true,
  format: "esm",
  define: { CONF_QMAIL: conf("conf-qmail"), CONF_BREAK: conf("conf-break"), CONF_ALIAS: conf("conf-users") },
  plugins: [errorNames],
};

const kinds = {
  bun: {
    ...common,
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
if (kind === "node") await Bun.write(product, result.outputs[0]);
