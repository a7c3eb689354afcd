// entry.js DIR: writes the sources of the executable's entry into DIR: DIR/NAME.ts for each program of
// packages/programs/manifest, and DIR/multicall.ts, which loads the one that is called.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [, , dir] = process.argv;
const programs = readFileSync(join(import.meta.dirname, "../packages/programs/manifest"), "utf8")
  .split("\n")
  .filter((line) => /^[^#]/.test(line))
  .map((line) => line.split(/ +/));
for (const [name, soft, , version] of programs) {
  const source = `import { main } from "@qmail-mysql/${name}";
import { start } from "@qmail-mysql/multicall";

await start(main, { soft: ${soft}, hasVersion: ${version === "version"} });
`;
  writeFileSync(join(dir, `${name}.ts`), source);
}
const lines = programs.map(([name]) => `  "${name}": () => import("./${name}"),\n`);
writeFileSync(
  join(dir, "multicall.ts"),
  `import { load } from "@qmail-mysql/multicall/load";\n\nawait load({\n${lines.join("")}});\n`,
);
