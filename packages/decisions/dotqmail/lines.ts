const oneLine = (text: string): string => text.replaceAll("\n", "_");

/** $DTLINE: the field by which a loop is detected. */
export function deliveredTo(local: string, host: string): string {
  return `Delivered-To: ${oneLine(`${local}@${host}`)}\n`;
}

/** $RPLINE */
export function returnPath(sender: string): string {
  return `Return-Path: <${oneLine(quoted(sender))}>\n`;
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** $UFLINE, the line that begins a message in an mbox: mbox(5). UTC, the day of the month with two digits. */
export function mboxFrom(sender: string, now: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${DAYS[now.getUTCDay()]} ${MONTHS[now.getUTCMonth()]} ${two(now.getUTCDate())}`;
  const time = [now.getUTCHours(), now.getUTCMinutes(), now.getUTCSeconds()].map(two).join(":");
  const from = sender === "" ? "MAILER-DAEMON" : sender.replace(/[ \t\n]/g, "-");
  return `From ${from} ${day} ${time} ${now.getUTCFullYear()}\n`;
}

// Characters that an unquoted local part must not contain: controls, space, DEL, bytes above ASCII, RFC 822 specials.
const SPECIAL = /[\0-\x20\x7f-\xff"(),:;<>@[\\\]]/;

/** An address for a header: the local part is quoted if RFC 822 requires it; the host is unchanged. */
function quoted(address: string): string {
  if (address === "") return "";
  const at = address.lastIndexOf("@");
  const box = at < 0 ? address : address.slice(0, at);
  const plain = box !== "" && !SPECIAL.test(box) && !/^\.|\.$|\.\./.test(box);
  return `${plain ? box : `"${box.replace(/[\r\n"\\]/g, "\\$&")}"`}${at < 0 ? "" : address.slice(at)}`;
}
