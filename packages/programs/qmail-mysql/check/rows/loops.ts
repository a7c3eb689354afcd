import { lower } from "@qmail-mysql/wire";
import { aliasColumns, type Problem, rowSql } from "../problem.ts";
import { type CheckWorld, forwardOf, forwardsOf } from "./world.ts";

/** Addresses that are forwarded until they come back. */
export async function* checkLoops(
  world: CheckWorld,
  sqlFix: (sql: string) => string,
): AsyncGenerator<Problem> {
  const { aliases, virtuals } = world.memory;
  const done = new Set<string>();
  const starts = [
    ...aliases.flatMap((row) => forwardOf(row) ?? []),
    ...virtuals.filter((row) => row.ext.includes("@")).map((row) => row.ext),
  ];
  for (const start of starts) {
    // Depth first, without recursion: a chain may be as long as the table.
    const path: string[] = [];
    const onPath = new Set<string>();
    const stack: (string | undefined)[] = [lower(start)];
    while (stack.length > 0) {
      const address = stack.pop();
      if (address === undefined) {
        onPath.delete(path.pop() ?? "");
        continue;
      }
      if (onPath.has(address)) {
        const loop = [...path.slice(path.indexOf(address)), address];
        const problem = `is forwarded in a loop: ${loop.slice(0, 8).join(" -> ")}`;
        yield { what: address, problem, fix: breaking(address, world, sqlFix) };
        continue;
      }
      if (done.has(address)) continue;
      done.add(address);
      path.push(address);
      onPath.add(address);
      stack.push(undefined, ...(await forwardsOf(address, world)).map(lower));
    }
  }
}

/** Deletes the row that forwards to `address`. */
function breaking(address: string, { memory }: CheckWorld, sqlFix: (sql: string) => string): string {
  const row = memory.aliases.find((one) => lower(forwardOf(one) ?? "") === address);
  if (!row) return "change or delete one of these rows";
  return sqlFix(rowSql.remove("alias", aliasColumns(row)));
}
