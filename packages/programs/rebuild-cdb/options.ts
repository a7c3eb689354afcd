import { parseArgs } from "node:util";
import { HARD, Usage } from "@qmail-mysql/trouble";

export const USAGE =
  "rebuild-cdb [options] [routing] [assign] [recipients] | rebuild-cdb [options] relay [FILE] (rebuild-cdb --help says more)";

export const HELP = `usage: rebuild-cdb [options] [routing] [assign] [recipients]
       rebuild-cdb [options] relay [FILE]

Makes the tables that a stock qmail reads of the database and of what you keep by hand.

  routing   control/virtualdomains, control/morercpthosts and its cdb (the default)
  assign    users/assign and users/cdb, a line for each mailbox: qmail-lspawn then
            needs no qmail-getpw to find it
  recipients  control/validrcptto and its cdb, for a qmail-smtpd with that patch
  relay     FILE.cdb of FILE (control/tcp.smtp) and the relay table, for tcpserver -x

What you keep by hand is in control/virtualdomains.local, control/morercpthosts.local,
control/validrcptto.local, users/assign.local, and in FILE itself. It wins over the database. A table that is
there already becomes its .local file the first time.

  -w, --watch        stay, and rebuild within a second of each change
  -v, --verbose      say on descriptor 2 what was replaced
      --json         say it as a line of JSON on descriptor 1
      --allow-empty  replace a table even when the database has nothing for it any more
      --overwrite    replace a table that somebody else wrote or edited; it is kept as
                     TABLE.saved
      --trust-homes  assign: do not look who owns the mailboxes' homes
      --service DIR  signal qmail-send through its supervised service; without it, the
                     qmail-send that works in this qmail home is found in /proc
      --no-hup       do not signal qmail-send
      --window SECS  relay: for how long a login opens the relay, if not as in control/sql
      --rblsmtpd     relay: set RBLSMTPD="" too, as vpopmail does
  -h, --help         this text

Exit codes: 0 done, 100 refused (see the message), 111 trouble; then nothing changed.
Manual: rebuild-cdb(8).
`;

export interface Options {
  readonly what: readonly ("routing" | "assign" | "recipients" | "relay")[];
  /** relay: the edited rules. */
  readonly file: string | undefined;
  readonly watch: boolean;
  readonly verbose: boolean;
  readonly json: boolean;
  readonly allowEmpty: boolean;
  readonly overwrite: boolean;
  readonly trustHomes: boolean;
  readonly services: readonly string[];
  readonly hup: boolean;
  readonly window: number | undefined;
  readonly rblsmtpd: boolean;
  readonly help: boolean;
}

const MAX_WINDOW = 366 * 86400; // seconds

export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parsed(args);
  const relay = positionals[0] === "relay";
  const what = relay ? ["relay" as const] : positionals.map(part);
  if (relay && positionals.length > 2) throw new Usage(HARD, USAGE);
  const window = values.window === undefined ? undefined : Number(values.window);
  if (window !== undefined && !(/^\d+$/.test(values.window ?? "") && window > 0 && window <= MAX_WINDOW)) {
    throw new Usage(HARD, `--window SECS, a whole number from 1 to ${MAX_WINDOW}`);
  }
  return {
    what: what.length === 0 ? ["routing"] : [...new Set(what)],
    file: relay ? positionals[1] : undefined,
    watch: values.watch ?? false,
    verbose: values.verbose ?? false,
    json: values.json ?? false,
    allowEmpty: values["allow-empty"] ?? false,
    overwrite: values.overwrite ?? false,
    trustHomes: values["trust-homes"] ?? false,
    services: values.service ?? [],
    hup: !(values["no-hup"] ?? false),
    window,
    rblsmtpd: values.rblsmtpd ?? false,
    help: values.help ?? false,
  };
}

function part(word: string): "routing" | "assign" | "recipients" {
  if (word === "routing" || word === "assign" || word === "recipients") return word;
  throw new Usage(HARD, USAGE);
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        watch: { type: "boolean", short: "w" },
        verbose: { type: "boolean", short: "v" },
        json: { type: "boolean" },
        "allow-empty": { type: "boolean" },
        overwrite: { type: "boolean" },
        "trust-homes": { type: "boolean" },
        service: { type: "string", multiple: true },
        "no-hup": { type: "boolean" },
        window: { type: "string" },
        rblsmtpd: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch {
    throw new Usage(HARD, USAGE);
  }
}
