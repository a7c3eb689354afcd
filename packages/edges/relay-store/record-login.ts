import type { RelaySql } from "@qmail-mysql/control";
import { say } from "@qmail-mysql/process";
import { loginAddress } from "@qmail-mysql/relay";
import { sqldRecord } from "@qmail-mysql/sqld-client";
import { reason } from "@qmail-mysql/trouble";
import type { Ip } from "@qmail-mysql/wire";
import { openRelayStore, readSql, relaySqldPath } from "./open.ts";

/**
 * Records a login in the relay table, with the client address: TCPREMOTEIP, or IP in a post-login script of Dovecot.
 * An error does not fail the login: it is reported on descriptor 2, after at most `timeout` seconds of control/sql.
 */
export async function recordLogin(
  qmailHome: string,
  program: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  try {
    const config = readSql(qmailHome, program);
    const ip = loginAddress(env, config.local);
    if (!ip) return;
    const late = new Promise<never>((_, reject) => {
      const limit = config.timeout;
      setTimeout(() => reject(new Error(`no answer within ${limit} seconds`)), limit * 1000);
    });
    await Promise.race([record(config, qmailHome, ip, env.USER), late]);
  } catch (error) {
    say(`${program}: warning: unable to open the relay for this login: ${reason(error)}`);
  }
}

async function record(config: RelaySql, qmailHome: string, ip: Ip, user: string | undefined): Promise<void> {
  const { database } = config;
  if (!database) return sqldRecord(relaySqldPath(qmailHome), ip, user ?? "", config.timeout);
  const store = await openRelayStore({ ...config, database }, qmailHome, "write");
  try {
    await store.open(ip, user);
  } finally {
    await store.close();
  }
}
