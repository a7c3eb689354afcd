import { HARD, Usage } from "@qmail-mysql/trouble";

export interface Options {
  readonly create: boolean;
  readonly maildir: string;
  readonly program: readonly string[];
}

const USAGE = "qmail-pop3d-helper [-c] [-m maildir] prog [arg ...]";

/** getopt(3) of the arguments, up to the program. Throws Usage. */
export function parseOptions(args: readonly string[]): Options {
  let create = false;
  let maildir = "Maildir";
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at] as string;
    if (!arg.startsWith("-") || arg === "-") break;
    if (arg === "--") {
      at++;
      break;
    }
    for (let i = 1; i < arg.length; i++) {
      if (arg[i] === "c") {
        create = true;
      } else if (arg[i] === "m") {
        maildir = arg.slice(i + 1) || (args[++at] ?? "");
        break;
      } else {
        throw new Usage(HARD, USAGE);
      }
    }
  }
  const program = args.slice(at);
  if (program.length === 0 || maildir === "") throw new Usage(HARD, USAGE);
  return { create, maildir, program };
}
