// bundle.js bun DIR RUNTIME | bundle.js node DIR NODE: run by Bun; makes DIR/executable, an executable or a script for
// Node, from the entries in DIR. Includes the configuration of conf/.
// Uses no plug-in: their results arrive in varying order, and with splitting the output then differed between builds.
// Modules that replace those of node_modules are files in DIR, which DIR/tsconfig.json names.
import { copyFileSync, readdirSync, readFileSync } from "node:fs";

const [, , kind, dir, runtime] = process.argv;

/** Line 1 of a file of conf/, as a literal. */
const conf = (name) => JSON.stringify(readFileSync(`conf/${name}`, "utf8").split("\n", 1)[0]);

const common = {
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
/** What is loaded lazily is a chunk of its own, so that a run loads only what it needs. */
const chunks = {
  splitting: true,
  minChunkSize: 1000, // bytes: a smaller one costs more than to load it where it is not needed
};

/** Builds, and exits 1 if that fails. */
async function bundle(options) {
  const result = await Bun.build({ ...common, ...options });
  for (const log of result.logs) console.error(String(log));
  if (!result.success) process.exit(1);
  return result.outputs;
}

const kinds = {
  async bun() {
    // Each program alone, before all together: modules that programs share would otherwise be in chunks by the set of
    // programs that use them, and a program would load twenty of them (bench/PROFILE.md).
    for (const file of readdirSync(".").filter((name) => /\.ts$/.test(name) && name !== "multicall.ts")) {
      const outdir = `each/${file.replace(/\.ts$/, "")}`;
      await bundle({
        ...chunks,
        entrypoints: [`./${file}`],
        target: "bun",
        external: ["mysql2"], // which the executable contains once
        outdir,
        naming: { entry: "index.js" },
      });
    }
    copyFileSync("multicall.ts", "each/multicall.ts");
    return bundle({
      ...chunks,
      entrypoints: ["./each/multicall.ts"],
      bytecode: true,
      compile: {
        outfile: `${dir}/executable`,
        executablePath: runtime,
        jitPolicy: 10, // times the usual threshold: these programs end before compiled code pays
        // Else files of these names in the current directory would be read, and run code as root.
        autoloadDotenv: false,
        autoloadBunfig: false,
        autoloadTsconfig: false,
        autoloadPackageJson: false,
      },
    });
  },
  async node() {
    const [script] = await bundle({
      entrypoints: ["./multicall.ts"],
      target: "node",
      banner: `#!${runtime} --disable-warning=ExperimentalWarning`,
    });
    await Bun.write(`${dir}/executable`, script);
  },
};

process.chdir(dir);
await kinds[kind]();
