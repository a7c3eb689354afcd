import { clientsOf, type Netblocks, parseClient } from "@qmail-mysql/relay";

/** The parsed command line: tcpserver-sql(8). */
export interface Options {
  /** 0 logs nothing, 1 errors, 2 every connection. */
  readonly verbosity: 0 | 1 | 2;
  readonly limit: number;
  /** Connections of one address at the same time; 0 is no limit. */
  readonly perAddress: number;
  readonly backlog: number;
  readonly rules: string | undefined;
  readonly allowNoRules: boolean;
  readonly banner: string;
  readonly uid: number;
  readonly gid: number;
  /** Take uid and gid from $UID and $GID. */
  readonly idsFromEnv: boolean;
  readonly printPort: boolean;
  readonly killIpOptions: boolean;
  readonly noDelay: boolean;
  readonly lookUpHost: boolean;
  readonly paranoid: boolean;
  readonly localName: string | undefined;
  readonly askIdent: boolean;
  /** Seconds for the ident lookup. */
  readonly timeout: number;
  /** Addresses that begin a connection with a PROXY header. */
  readonly proxies: Netblocks;
  /** Consult the relay table of control/sql. */
  readonly sql: boolean;
  /** Number of workers that serve the connections, 0 for one for each processor; undefined for a child for each. */
  readonly workers: number | undefined;
  /** Starts the program once more, with all privileges, for the workers to ask. */
  readonly monitor: boolean;
  readonly host: string;
  readonly port: string;
  readonly program: readonly string[];
}

type Mutable = { -readonly [K in keyof Options]: Options[K] };

export const USAGE =
  "tcpserver [ -1mSUXpPhHrRoOdDqQv ] [ -c limit ] [ -C limit ] [ -x rules.cdb ] [ -B banner ] [ -g gid ] [ -u uid ] [ -b backlog ] [ -l localname ] [ -t timeout ] [ -w workers ] [ -y proxies ] host port program";

const DEFAULTS: Options = {
  verbosity: 1,
  limit: 40,
  perAddress: 0,
  backlog: 20,
  rules: undefined,
  allowNoRules: false,
  banner: "",
  uid: 0,
  gid: 0,
  idsFromEnv: false,
  printPort: false,
  killIpOptions: true,
  noDelay: false,
  lookUpHost: true,
  paranoid: false,
  localName: undefined,
  askIdent: true,
  timeout: 26,
  proxies: clientsOf([]),
  sql: false,
  workers: undefined,
  monitor: false,
  host: "",
  port: "",
  program: [],
};

const FLAGS: Readonly<Record<string, Partial<Options>>> = {
  "1": { printPort: true },
  S: { sql: true },
  m: { monitor: true },
  U: { idsFromEnv: true },
  X: { allowNoRules: true },
  p: { paranoid: true },
  P: { paranoid: false },
  h: { lookUpHost: true },
  H: { lookUpHost: false },
  r: { askIdent: true },
  R: { askIdent: false },
  o: { killIpOptions: false },
  O: { killIpOptions: true },
  d: { noDelay: false },
  D: { noDelay: true },
  q: { verbosity: 0 },
  Q: { verbosity: 1 },
  v: { verbosity: 2 },
};

const VALUES: Readonly<Record<string, (value: string) => Partial<Options> | undefined>> = {
  c: (value) => ({ limit: leadingNumber(value) }),
  C: (value) => ({ perAddress: leadingNumber(value) }),
  b: (value) => ({ backlog: leadingNumber(value) }),
  x: (value) => ({ rules: value }),
  B: (value) => ({ banner: value }),
  u: (value) => ({ uid: leadingNumber(value) }),
  g: (value) => ({ gid: leadingNumber(value) }),
  l: (value) => ({ localName: value }),
  w: (value) => ({ workers: leadingNumber(value) }),
  t: (value) => ({ timeout: leadingNumber(value) }),
  y: (value) => {
    const words = value.split(/[ ,]+/).filter((word) => word !== "");
    return words.length > 0 && words.every(parseClient) ? { proxies: clientsOf(words) } : undefined;
  },
};

/** Parses argv as getopt does. Undefined if it is invalid, after printing why. */
export function parseOptions(args: readonly string[], say: (line: string) => void): Options | undefined {
  const options: Mutable = { ...DEFAULTS };
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (!arg.startsWith("-") || arg === "-") break;
    if (arg === "--") {
      at++;
      break;
    }
    for (let i = 1; i < arg.length; i++) {
      const option = arg.charAt(i);
      const take = VALUES[option];
      if (take) {
        const value = i + 1 < arg.length ? arg.slice(i + 1) : args[++at];
        if (value === undefined) {
          say(`option requires an argument -- ${option}`);
          return undefined;
        }
        const taken = take(value);
        if (!taken) {
          say(`invalid argument of option -- ${option}`);
          return undefined;
        }
        Object.assign(options, taken);
        break;
      }
      const flag = FLAGS[option];
      if (!flag) {
        say(`illegal option -- ${option}`);
        return undefined;
      }
      Object.assign(options, flag);
    }
  }
  const [host, port, ...program] = args.slice(at);
  if (host === undefined || port === undefined || program.length === 0) return undefined;
  if (options.monitor && options.workers === undefined) {
    say("option -m requires -w");
    return undefined;
  }
  return { ...options, host, port, program };
}

/** As scan_ulong of qmail: the value of the leading digits, 0 if there are none. */
export function leadingNumber(text: string): number {
  return Number(/^\d{0,15}/.exec(text)?.[0] || 0);
}
