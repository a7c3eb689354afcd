import { recipientPorts } from "@qmail-mysql/recipient-check";
import { watchControls } from "@qmail-mysql/routing-controls";
import { sqldDatabase } from "@qmail-mysql/sqld-client";
import { storeOver } from "@qmail-mysql/store";
import { openAccountCache } from "@qmail-mysql/system";
import type { Answer, Peer, Special } from "../answer.ts";
import type { Cache, Keep } from "../cache.ts";
import type { Config } from "../config.ts";
import { ownClient, recipientQuestion } from "./question.ts";
import { senderQuestion } from "./sender.ts";

/** The questions `checkRecipient` and `ownsSender` over the control files, and over `lookups`, the questions about the tables. */
export function openRecipients(
  { sql }: Config,
  qmailHome: string,
  cache: Cache<Answer>,
  keep: Keep,
  lookups: (payload: string, peer: Peer) => Answer | Promise<Answer>,
): Record<"checkRecipient" | "ownsSender", Special> {
  const controls = watchControls(qmailHome, now);
  const client = ownClient((payload) => lookups(payload, ownUid));
  const store = storeOver(sqldDatabase(client, sql.timeout), sql.funkyQueries);
  const find = openAccountCache(sql.timeout, now);
  const ports = recipientPorts(
    qmailHome,
    { store, settings: sql },
    find,
    controls.current,
    controls.assigned,
  );
  return {
    // Without the database nobody is refused.
    checkRecipient: recipientQuestion({ ports, controls, cache, keep: { ...keep, negativeStale: 0 } }),
    ownsSender: senderQuestion(ports),
  };
}

const now = () => performance.now();
const ownUid = () => process.getuid?.() ?? 0;
