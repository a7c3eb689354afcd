import { word } from "../output/shell.ts";

/** Deletes the line of a control file that a message names, or else names the manual page. */
export function lineFix(file: string, message: string, manual: string): string {
  const line = /line (\d+)/.exec(message)?.[1];
  const see = `correct or delete the line; see ${manual}`;
  return line === undefined ? see : `sed -i ${line}d ${word(file)} # ${see}`;
}
