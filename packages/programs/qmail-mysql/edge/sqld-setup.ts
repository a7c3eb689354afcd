import { chmodSync, chownSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import type { SqlServer } from "@qmail-mysql/control";
import { sqliteFile, sqlServerFile } from "@qmail-mysql/store";
import { findSystemAccounts } from "@qmail-mysql/system";
import { Die, HARD, reason, Trouble } from "@qmail-mysql/trouble";

export const SQLD_ACCOUNT = "qmailsql"; // conf/run

/**
 * Makes the files with passwords readable only by the account of qmail-sqld, creates the directory of its socket below
 * the qmail home, and writes control/sqld. Returns the path of the socket. Throws Die, Trouble.
 */
export function setUpSqld(home: string, config: SqlServer): string {
  const [account] = findSystemAccounts([SQLD_ACCOUNT], config.timeout);
  if (!account) {
    throw new Die(
      HARD,
      `no account "${SQLD_ACCOUNT}"; fix: useradd --system --no-create-home --home-dir ${home} --shell /bin/false ${SQLD_ACCOUNT}`,
    );
  }
  const { uid, gid } = account;
  const dir = `${home}/sqld`;
  let path = dir;
  try {
    mkdirSync(dir, { recursive: true });
    chownSync(dir, uid, gid);
    chmodSync(dir, 0o755);
    const secrets = [sqlServerFile(home), ...(config.driver === "sqlite" ? [sqliteFile(config, home)] : [])];
    for (path of secrets) {
      chownSync(path, uid, gid);
      chmodSync(path, 0o600);
    }
    path = `${home}/control/sqld`;
    writeFileSync(`${path}.tmp`, `${dir}/socket\n`, { mode: 0o644 });
    chmodSync(`${path}.tmp`, 0o644);
    renameSync(`${path}.tmp`, path);
  } catch (error) {
    throw new Trouble(`unable to give ${path} to ${SQLD_ACCOUNT}: ${reason(error)}`);
  }
  return `${dir}/socket`;
}
