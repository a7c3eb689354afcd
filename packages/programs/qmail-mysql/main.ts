import { contextOf } from "./context.ts";

/** qmail-mysql: the administrator's command. qmail-mysql(8). */
export async function main(args: readonly string[]): Promise<number> {
  const { cli } = await import("./cli.ts");
  return cli(args, contextOf());
}
