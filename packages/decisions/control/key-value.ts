import { lower, toText } from "@qmail-mysql/wire";

/** One setting of a `key value` file, with its line number. */
export interface Setting {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/** An invalid control file; the message names the file, the line and what was expected. */
export class ControlError extends Error {}

const MAX_FILE = 65536; // bytes; a usual file has fewer than 2000

// A password may contain any byte except a line end, so a comment begins only at the beginning of a line.
const SETTING = /^([^ \t=]+)(?:[ \t]*=[ \t]*|[ \t]+)(.*)$/s;

/**
 * The settings of a control file (a byte string) in the order of its lines: `key value` or `key=value`, any blanks or
 * tabs around them, `#` comments, blank lines. Keys are converted to lower case, values to text. Throws ControlError
 * at the first line of another form, without quoting it: it may be a password.
 */
export function keyValues(bytes: string, file: string): Setting[] {
  if (bytes.length > MAX_FILE)
    throw new ControlError(`${file} line 1: expected a file of at most ${MAX_FILE} bytes`);
  const settings: Setting[] = [];
  // A byte order mark is not part of the first key.
  const lines = bytes.replace(/^\xef\xbb\xbf/, "").split("\n");
  lines.forEach((raw, index) => {
    const line = raw.replace(/\r$/, "").replace(/^[ \t]+|[ \t]+$/g, "");
    if (line === "" || line.startsWith("#")) return;
    const wrong = (expected: string) => new ControlError(`${file} line ${index + 1}: expected ${expected}`);
    const match = SETTING.exec(line);
    if (!match) throw wrong('"key value" or "key=value"');
    const [, key = "", bytesOfValue = ""] = match;
    if (line.includes("\0")) throw wrong("no NUL");
    const value = toText(bytesOfValue);
    if (value === undefined) throw wrong("a value in UTF-8");
    settings.push({ key: lower(key), value, line: index + 1 });
  });
  return settings;
}
