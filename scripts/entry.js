// entry.js: writes the entry of the executable to descriptor 1, from packages/programs/manifest. Each program is a
// separate chunk, loaded only if it is called.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const programs = readFileSync(join(import.meta.dirname, "../packages/programs/manifest"), "utf8")
  .split("\n")
  .filter((line) => /^[^#]/.test(line))
  .map((line) => line.split(/ +/))
  .map(
    ([name, soft, , version]) =>
      `  "${name}": { load: () => import("@qmail-mysql/${name}"), soft: ${soft}, hasVersion: ${version === "version"} },\n`,
  );
process.stdout.write(
  `import { start } from "@qmail-mysql/multicall";\n\nawait start({\n${programs.join("")}});\n`,
);
