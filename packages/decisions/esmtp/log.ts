import type { Candidate, Extension, Session, Transaction } from "@qmail-mysql/smtp";

/** How the log is written; "off" as in qmail. */
export type LogForm = "off" | "text" | "json";

const LONGEST = 300; // bytes of an address or reply

/** A line for each message, and for each command that was refused. AUTH has its own log, and its lines hold passwords. */
export function log(form: "text" | "json"): Extension {
  let asked: Candidate | undefined; // by the current command
  const note = (_: Session, candidate: Candidate) => {
    asked = candidate;
    return undefined;
  };
  return {
    atCommand() {
      asked = undefined;
      return undefined;
    },
    atMail: note,
    atRcpt: note,
    atReply(session, verb, reply) {
      const ofMessage = verb === "data" || verb === "bdat";
      const isQueued = ofMessage && /^250 ok \d+ qp/.test(reply);
      if (verb === "auth" || (Number(reply.slice(0, 3)) < 400 && !isQueued)) return;
      const transaction = ofMessage ? session.lastTransaction : session.transaction;
      const refused = asked && { [verb === "rcpt" ? "to" : "from"]: asked.address };
      session.ports.log(line(form, fields(session, verb, reply, { ...seen(transaction), ...refused })));
    },
  };
}

type Fields = Readonly<Record<string, string | number | readonly string[]>>;

const seen = (transaction: Transaction | undefined): Fields =>
  transaction
    ? {
        from: transaction.sender,
        to: transaction.recipients.slice(0, 20),
        recipients: transaction.recipients.length,
        size: transaction.messageSize,
      }
    : {};

function fields(session: Session, verb: string, reply: string, message: Fields): Fields {
  const { client, helo, login } = session;
  return {
    verdict: reply.startsWith("2") ? "accepted" : reply.startsWith("4") ? "deferred" : "refused",
    at: verb === "" ? "end" : verb.slice(0, 20),
    client: client.ip,
    host: client.host,
    helo: helo ?? client.host,
    ...(login !== undefined && { login }),
    ...message,
    reply,
  };
}

/** name=value, or JSON; bytes that are not printable ASCII are escaped. */
function line(form: "text" | "json", all: Fields): string {
  if (form === "json") return JSON.stringify(all).replace(/[\x7f-\xff]/g, escaped);
  return Object.entries(all)
    .map(
      ([name, value]) =>
        `${name}=${typeof value === "object" ? value.map(quoted).join(",") : quoted(String(value))}`,
    )
    .join(" ");
}

const escaped = (byte: string): string => `\\u00${byte.charCodeAt(0).toString(16).padStart(2, "0")}`;

function quoted(value: string): string {
  const text = value.slice(0, LONGEST);
  return /^[!#-[\]-~]+$/.test(text) ? text : JSON.stringify(text).replace(/[\x7f-\xff]/g, escaped);
}
