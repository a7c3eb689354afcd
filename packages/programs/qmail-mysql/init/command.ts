import { randomBytes } from "node:crypto";
import { say } from "@qmail-mysql/process";
import { sqliteFile } from "@qmail-mysql/store";
import type { Command } from "commander";
import grants from "../../../../sql/mysql/grants.sql" with { type: "text" };
import mysqlSchema from "../../../../sql/mysql/schema.sql" with { type: "text" };
import sqliteSchema from "../../../../sql/sqlite/schema.sql" with { type: "text" };
import type { Context } from "../context.ts";
import { createPrivately } from "../edge/files.ts";
import { SQLD_ACCOUNT, setUpSqld } from "../edge/sqld-setup.ts";
import { fillGrants, fillPasswords } from "./grants.ts";

interface Options {
  readonly sql?: true;
  readonly grants?: true;
  readonly sqld?: true;
}

export function addInit(program: Command, context: Context): void {
  program
    .command("init")
    .description("Create the tables in the database of control/sqlserver. Existing tables are not changed.")
    .option("--sql", "print the SQL that creates the tables, and change nothing")
    .option("--grants", "print the SQL that creates accounts with minimal privileges, and change nothing")
    .option(
      "--sqld",
      "make control/sqlserver readable only by the account of qmail-sqld, and write control/sqld",
    )
    .addHelpText(
      "after",
      `
With driver sqlite the file is created, readable only by its owner and group.
With MySQL or MariaDB the database must exist, and an account that may create tables:

  mariadb -e 'CREATE DATABASE qmail CHARACTER SET utf8mb4'
  qmail-mysql init
  qmail-mysql init --grants | mariadb        # prints the passwords of the accounts on standard error`,
    )
    .action((options: Options) => init(context, options));
}

async function init(context: Context, options: Options): Promise<void> {
  const config = context.config();
  const isSqlite = config.driver === "sqlite";
  const schema = isSqlite ? sqliteSchema : mysqlSchema;
  if (options.sql) return context.print(schema);
  if (options.grants) return printGrants(context, isSqlite, config.db);
  if (options.sqld) {
    const socket = setUpSqld(context.home, context.config());
    return context.print(
      `control/sqld names ${socket}\nnext: start qmail-sqld as ${SQLD_ACCOUNT}, by its run script in conf/run: until then all mail waits\n`,
    );
  }
  const file = isSqlite ? sqliteFile(config, context.home) : undefined;
  const isNew = file !== undefined && createPrivately(file);
  await context.withDatabase("write", (database) => database.script(schema));
  context.print(`tables are in place: ${file ?? `database ${config.db}`}\n`);
  if (isNew) {
    context.print(
      `next: let the mail programs read it, and nobody else: chgrp nofiles ${file} (qmailp's group); with our qmail-local instead qmail-mysql init --sqld\n`,
    );
  } else if (!isSqlite) {
    context.print("next: accounts that may do no more than they need: qmail-mysql init --grants\n");
  }
}

/** Generates new passwords each time; they are also printed on descriptor 2, for the control files. */
function printGrants(context: Context, isSqlite: boolean, db: string): void {
  if (isSqlite) {
    context.print("-- SQLite has no accounts: who may read the file may read the mail's passwords.\n");
    return;
  }
  const { sql, accounts } = fillPasswords(fillGrants(grants, db), () =>
    randomBytes(18).toString("base64url"),
  );
  context.print(sql);
  for (const { login, file, password } of accounts) {
    say(`control/${file}: ${login} has the password ${password} unless the account exists already`);
  }
}
