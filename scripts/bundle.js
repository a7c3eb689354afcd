// bundle.js bun DIR RUNTIME | bundle.js node DIR NODE: run by Bun; makes DIR/qmail-mysql, an executable or a script for
// Node, from DIR/multicall.ts. Includes the configuration of conf/.
// Uses no plug-in: their results arrive in varying order, and with splitting the output then differed between builds.
// Modules that replace those of node_modules are files in DIR, which DIR/tsconfig.json names.
import { readFileSync } from "node:fs";

const [, , kind, dir, runtime] = process.argv;

/** Line 1 of a file of conf/, as a literal. */
const conf = (name) => JSON.stringify(readFileSync(`conf/${name}`, "utf8").split("\n", 1)[0]);

const common = {
  entrypoints: [`${dir}/multicall.ts`],
  tsconfig: `${dir}/tsconfig.json`,
  minify: true,
  format: "esm",
  define: {
    CONF_QMAIL: conf("conf-qmail"),
    CONF_BREAK: conf("conf-break"),
    CONF_ALIAS: conf("conf-users"),
    VERSION: JSON.stringify(JSON.parse(readFileSync("package.json", "utf8")).version),
  },
};

const kinds = {
  bun: {
    ...common,
    bytecode: true,
    splitting: true, // a chunk per program: each loads its own modules and no other's
    minChunkSize: 1000, // bytes: a smaller one costs more than to load it where it is not needed
    compile: {
      outfile: `${dir}/qmail-mysql`,
      executablePath: runtime,
      jitPolicy: 10, // times the usual threshold: these programs end before compiled code pays
      // Else files of these names in the current directory would be read, and run code as root.
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

process.chdir(dir);
const result = await Bun.build(kinds[kind]);
for (const log of result.logs) console.error(String(log));
if (!result.success) process.exit(1);
if (kind === "node") await Bun.write(`${dir}/qmail-mysql`, result.outputs[0]);
