import { date822, type Extension } from "@qmail-mysql/smtp";

/** Message submission (RFC 6409 §8): a missing Date or Message-ID is added. */
export function submission(): Extension {
  let count = 0;
  return {
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
