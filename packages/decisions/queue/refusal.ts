/** Why qmail-queue did not accept a message. */
export interface Refusal {
  readonly isPermanent: boolean;
  readonly text: string;
}

// qmail.c of notqmail
const TEXTS: Readonly<Record<number, string>> = {
  11: "envelope address too long for qq (#5.1.3)",
  115: "envelope address too long for qq (#5.1.3)",
  31: "mail server permanently rejected message (#5.3.0)",
  51: "qq out of memory (#4.3.0)",
  52: "qq timeout (#4.3.0)",
  53: "qq write error or disk full (#4.3.0)",
  54: "qq read error (#4.3.0)",
  55: "qq unable to read configuration (#4.3.0)",
  56: "qq trouble making network connection (#4.3.0)",
  61: "qq trouble in home directory (#4.3.0)",
  62: "qq trouble creating files in queue (#4.3.0)",
  63: "qq trouble creating files in queue (#4.3.0)",
  64: "qq trouble creating files in queue (#4.3.0)",
  65: "qq trouble creating files in queue (#4.3.0)",
  66: "qq trouble creating files in queue (#4.3.0)",
  71: "mail server temporarily rejected message (#4.3.0)",
  72: "connection to mail server timed out (#4.4.1)",
  73: "connection to mail server rejected (#4.4.1)",
  74: "communication with mail server failed (#4.4.2)",
  81: "qq internal bug (#4.3.0)",
  91: "qq internal bug (#4.3.0)",
  120: "unable to exec qq (#4.3.0)",
};

const CUSTOM = 82;

/**
 * Why a qmail-queue with this exit code, undefined if a signal killed it, did not accept the message; undefined if it
 * did. `custom` is what it wrote to descriptor 6.
 */
export function refusal(code: number | undefined, custom: string): Refusal | undefined {
  if (code === 0) return undefined;
  if (code === undefined) return { isPermanent: false, text: "qq crashed (#4.3.0)" };
  if (code === CUSTOM && custom.length > 2) {
    return { isPermanent: custom.startsWith("D"), text: custom.slice(1) };
  }
  const isPermanent = (code >= 11 && code <= 40) || code === 115;
  const other = isPermanent ? "qq permanent problem (#5.3.0)" : "qq temporary problem (#4.3.0)";
  return { isPermanent, text: TEXTS[code] ?? other };
}
