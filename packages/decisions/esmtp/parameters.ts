import { lower } from "@qmail-mysql/wire";

/** The value of a parameter of MAIL or RCPT (RFC 5321 §4.1.2), which follow the address; undefined if it is not given. */
export function parameter(arg: string, name: string): string | undefined {
  const after = arg.slice(arg.lastIndexOf(">") + 1);
  for (const word of after.split(" ")) {
    const [key = "", value] = word.split("=", 2);
    if (lower(key) === name) return value ?? "";
  }
  return undefined;
}
