/** One setting of a `key value` file, with the line it stands on. */
export interface Setting {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/** A control file that cannot be used: the message names file, line and what was expected. */
export class ControlError extends Error {}

// A password may hold any byte but a line end, so only a # that begins a line begins a comment.
const SETTING = /^([^\s=]+)(?:[ \t]*=[ \t]*|[ \t]+)(.*)$/;

/**
 * The settings of a control file in its own order: `key value` or `key=value`, any blanks or tabs around,
 * `#` comments, blank lines. Keys are lower-cased. Throws ControlError at the first line of another form.
 */
export function keyValues(text: string, file: string): Setting[] {
  const settings: Setting[] = [];
  text.split("\n").forEach((raw, index) => {
    const line = raw.replace(/\r$/, "").trim();
    if (line === "" || line.startsWith("#")) return;
    const match = SETTING.exec(line);
    // The line itself may be a misplaced password, so the message does not repeat it.
    if (!match) throw new ControlError(`${file} line ${index + 1}: expected "key value" or "key=value"`);
    const [, key = "", value = ""] = match;
    settings.push({ key: key.toLowerCase(), value, line: index + 1 });
  });
  return settings;
}
