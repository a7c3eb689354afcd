import type { OwnsSender } from "@qmail-mysql/accounts";
import { ask, date822, type Extension } from "@qmail-mysql/smtp";

const NOT_YOURS = "550 sorry, this login may not send with that sender address (#5.7.1)";
const TROUBLE = "451 unable to check the sender address (#4.3.0)";

/** Message submission (RFC 6409): a login sends only with its own addresses, and a missing Date or Message-ID is added. */
export function submission(ownsSender: OwnsSender | undefined): Extension {
  let count = 0;
  return {
    *atMail(session, { address }) {
      const { login, ports } = session;
      if (!ownsSender || login === undefined || address === "") return undefined;
      const answer = yield* ask(() => ownsSender(login, address));
      if ("owns" in answer) return answer.owns ? undefined : NOT_YOURS;
      ports.log(`trouble: ${answer.trouble}`);
      return TROUBLE;
    },
    atHeader({ client, ports, login }, header) {
      if (login === undefined) return "";
      const has = (name: string) => new RegExp(`^${name}[ \t]*:`, "im").test(header);
      const now = ports.now();
      const id = `${now}.${++count}.${client.ip}@${client.local}`.replace(/[^-.@A-Za-z0-9]/g, "-");
      const date = has("date") ? "" : `Date: ${date822(now)}\n`;
      return date + (has("message-id") ? "" : `Message-ID: <${id}>\n`);
    },
  };
}
