import type { TestProject } from "vitest/node";
import { startMariaDb } from "./mariadb.ts";

declare module "vitest" {
  export interface ProvidedContext {
    mariadb: { socket: string; port: number; ca: string };
  }
}

/** One MariaDB for all test files, each of which has its own database. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { socket, port, ca, stop } = await startMariaDb();
  project.provide("mariadb", { socket, port, ca });
  return stop;
}
