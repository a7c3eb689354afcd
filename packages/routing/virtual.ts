import { lower } from "@qmail-mysql/wire";

/** A row of the virtual table: mail for virtualUsername@virtualHost goes to username, extension ext. */
export interface VirtualRow {
  readonly username: string;
  readonly ext: string;
  readonly virtualUsername: string;
  readonly virtualHost: string;
}

/** Port: the rows that may apply to local@host (lower case), exact ones and catch-alls, in any order. */
export type FindVirtual = (local: string, host: string) => Promise<readonly VirtualRow[]>;

/** The row that governs local@host: the exact one, else the catch-all (blank virtual_username). */
export function chooseVirtual(
  rows: readonly VirtualRow[],
  local: string,
  host: string,
): VirtualRow | undefined {
  const here = rows.filter((row) => lower(row.virtualHost) === lower(host));
  const exact = here.find((row) => lower(row.virtualUsername) === lower(local) && local !== "");
  return exact ?? here.find((row) => row.virtualUsername === "");
}
