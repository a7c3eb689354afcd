import { lower } from "@qmail-mysql/wire";
import { type CheckPorts, forwardOf, forwardsOf } from "./ports.ts";
import { aliasColumns, type Problem, rowSql } from "./problem.ts";

/** Reports loops of forwarded addresses. */
export async function* checkLoops(
  ports: CheckPorts,
  sqlFix: (sql: string) => string,
): AsyncGenerator<Problem> {
  const { aliases, virtuals } = ports.memory;
  const done = new Set<string>();
  const starts = [
    ...aliases.flatMap((row) => forwardOf(row) ?? []),
    ...virtuals.filter((row) => row.ext.includes("@")).map((row) => row.ext),
  ];
  for (const start of starts) {
    // Depth first, without recursion, since a chain may be as long as the table.
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
        yield { what: address, problem, fix: breaking(address, ports, sqlFix) };
        continue;
      }
      if (done.has(address)) continue;
      done.add(address);
      path.push(address);
      onPath.add(address);
      stack.push(undefined, ...(await forwardsOf(address, ports)).map(lower));
    }
  }
}

/** The command that deletes the row that forwards to `address`. */
function breaking(address: string, { memory }: CheckPorts, sqlFix: (sql: string) => string): string {
  const row = memory.aliases.find((one) => lower(forwardOf(one) ?? "") === address);
  if (!row) return "change or delete one of these rows";
  return sqlFix(rowSql.remove("alias", aliasColumns(row)));
}
