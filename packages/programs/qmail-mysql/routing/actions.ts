import { possibleUsers } from "@qmail-mysql/accounts";
import { aliasUser, breakChar } from "@qmail-mysql/control-files";
import { type Database, type Row, statements } from "@qmail-mysql/database";
import { MAGIC_USER } from "@qmail-mysql/routing";
import { storeOver } from "@qmail-mysql/store";
import { findSystemAccounts } from "@qmail-mysql/system";
import { Die, HARD, Usage } from "@qmail-mysql/trouble";
import { lower, toText } from "@qmail-mysql/wire";
import type { Context } from "../context.ts";
import { eachRow, type ListOptions, list } from "../output/list.ts";
import { json, printable, table } from "../output/table.ts";
import { ALIAS, addRow, deleteRow, findRows, RCPTHOSTS, type RowTable, VIRTUAL } from "../tables/rows.ts";
import { instructionColumns, virtualAddress } from "./input.ts";

const none = (what: string): never => {
  throw new Die(HARD, `no ${what}`);
};

async function deleteAll(database: Database, rowTable: RowTable, rows: readonly Row[]): Promise<void> {
  // One statement deletes all rows that are equal in every column.
  const distinct = new Map(
    rows.map((row) => [rowTable.columns.map((column) => row[column]).join("\0"), row]),
  );
  for (const row of distinct.values()) await deleteRow(database, rowTable, row);
}

/** Warns if the user does not exist; no error, since the mailbox may be added later. */
async function warnOfNobody(
  context: Context,
  database: Database,
  user: string,
  timeout: number,
): Promise<void> {
  if (user === aliasUser() || lower(user) === MAGIC_USER) return;
  const names = [...possibleUsers(user, breakChar())].map((way) => way.user);
  if ((await storeOver(database, false).findMailboxes(names)).length > 0) return;
  if (findSystemAccounts(names, timeout).length > 0) return;
  context.warn(
    `there is no mailbox "${user}" yet: its mail goes to ${aliasUser()}; fix: qmail-mysql user add ${user}`,
  );
}

export const domain = {
  add: (context: Context, host: string) =>
    context.withDatabase("write", (database) => addRow(database, RCPTHOSTS, { host })),

  del: (context: Context, host: string) =>
    context.withDatabase("write", async (database) => {
      const rows = await findRows(database, RCPTHOSTS, { host });
      if (rows.length === 0) none(`domain "${host}" in rcpthosts (qmail-mysql domain list)`);
      await deleteAll(database, RCPTHOSTS, rows);
      const virtuals = await storeOver(database, false).findVirtualHosts([host]);
      if (virtuals.length > 0)
        context.warn(
          `the virtual table still has addresses of ${host}: mail from outside no longer reaches them`,
        );
    }),

  list: (context: Context, options: ListOptions) =>
    context.withDatabase("resident", async (database) => {
      const domains = new Map<string, { accepted: boolean; addresses: number; catch_all: boolean }>();
      const at = (host: string) => {
        const known = domains.get(lower(host)) ?? { accepted: false, addresses: 0, catch_all: false };
        domains.set(lower(host), known);
        return known;
      };
      await eachRow(database, statements.eachRcptHost, RCPTHOSTS.columns, (row) => {
        at(row.host ?? "").accepted = true;
      });
      await eachRow(database, statements.listVirtual, VIRTUAL.columns, (row) => {
        const known = at(row.virtual_host ?? "");
        known.addresses++;
        if (row.virtual_username === "" || row.virtual_username === "%") known.catch_all = true;
      });
      const list = [...domains]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([host, known]) => ({ host, ...known }));
      if (options.json) return context.print(json(list));
      const yes = (value: boolean) => (value ? "Y" : "N");
      context.print(
        table(
          ["host", "accepted", "addresses", "catch_all"],
          list.map((one) => [one.host, yes(one.accepted), String(one.addresses), yes(one.catch_all)]),
          context.bold,
        ),
      );
    }),
};

export const virtual = {
  add: (context: Context, address: string, username: string, ext: string) =>
    context.withDatabase("write", async (database, config) => {
      if (toText(ext) === undefined || /[\0-\x1f\x7f]/.test(ext))
        throw new Usage(HARD, "--ext: expected a line of UTF-8");
      const { user, host } = virtualAddress(address, config.funkyQueries);
      const row = { username, ext, virtual_username: user, virtual_host: host };
      const [other] = await findRows(database, VIRTUAL, row);
      if (other) {
        throw new Die(
          HARD,
          `${printable(address)} belongs to "${other.username}" already; to give it to somebody else: qmail-mysql virtual del ${printable(address)}`,
        );
      }
      await addRow(database, VIRTUAL, row);
      if ((await findRows(database, RCPTHOSTS, { host })).length === 0) {
        context.warn(
          `${host} is not in the table rcpthosts; fix, unless control/rcpthosts has it: qmail-mysql domain add ${host}`,
        );
      }
      await warnOfNobody(context, database, username, config.timeout);
    }),

  del: (context: Context, address: string) =>
    context.withDatabase("write", async (database, config) => {
      const { user, host } = virtualAddress(address, config.funkyQueries);
      const rows = await findRows(database, VIRTUAL, { virtual_username: user, virtual_host: host });
      if (rows.length === 0) none(`virtual address "${address}" (qmail-mysql virtual list ${host})`);
      await deleteAll(database, VIRTUAL, rows);
    }),

  list: (context: Context, host: string | undefined, options: ListOptions) => {
    const matches = (row: Row) => host === undefined || lower(row.virtual_host ?? "") === host;
    return list(context, { statement: statements.listVirtual, columns: VIRTUAL.columns, matches }, options);
  },
};

export const alias = {
  add: (context: Context, username: string, ext: string, line: string) =>
    context.withDatabase("write", async (database, config) => {
      const { left, right } = instructionColumns(line);
      await addRow(database, ALIAS, { username, alias: ext, alias_username: left, alias_host: right });
      await warnOfNobody(context, database, username, config.timeout);
    }),

  del: (context: Context, username: string, ext: string, line: string | undefined) =>
    context.withDatabase("write", async (database) => {
      const wanted = line === undefined ? undefined : instructionColumns(line);
      const rows = (await findRows(database, ALIAS, { username, alias: ext })).filter(
        (row) => !wanted || (row.alias_username === wanted.left && row.alias_host === wanted.right),
      );
      if (rows.length === 0) none(`such alias of "${username}" (qmail-mysql alias list ${username})`);
      await deleteAll(database, ALIAS, rows);
    }),

  list: (context: Context, user: string | undefined, options: ListOptions) => {
    const matches = (row: Row) => user === undefined || lower(row.username ?? "") === user;
    return list(context, { statement: statements.listAliases, columns: ALIAS.columns, matches }, options);
  },
};
