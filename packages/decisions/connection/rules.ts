/** A rule for a client. */
export interface Rule {
  readonly deny: boolean;
  /** Variables; the last one of a name is used. A Map, since any name is possible. */
  readonly env: ReadonlyMap<string, string>;
}

export interface Client {
  readonly ip: string;
  readonly host: string | undefined;
  readonly info: string | undefined;
}

export const NO_RULE: Rule = { deny: false, env: new Map() };

/** The keys under which a client is looked up, the most specific first: tcprules(1). */
export function* ruleKeys({ ip, host, info }: Client): Generator<string> {
  if (info !== undefined) {
    yield `${info}@${ip}`;
    if (host !== undefined) yield `${info}@=${host}`;
  }
  yield ip;
  if (host !== undefined) yield `=${host}`;
  const separator = ip.includes(":") ? ":" : ".";
  for (let at = ip.lastIndexOf(separator); at > 0; at = ip.lastIndexOf(separator, at - 1)) {
    yield ip.slice(0, at + 1);
  }
  if (host !== undefined) {
    for (let at = host.indexOf("."); at >= 0; at = host.indexOf(".", at + 1)) yield `=${host.slice(at)}`;
    yield "=";
  }
  yield "";
}

/** The rule for a client: the record of the first key that has one; without any, the client is allowed. */
export function ruleFor(client: Client, find: (key: string) => string | undefined): Rule {
  for (const key of ruleKeys(client)) {
    const data = find(key);
    if (data !== undefined) return parseRule(data);
  }
  return NO_RULE;
}

/** Parses a record: `D` denies, `+NAME=VALUE` sets a variable, each terminated by NUL; an incomplete one is ignored. */
function parseRule(data: string): Rule {
  const entries = data.split("\0").slice(0, -1);
  const env = new Map<string, string>();
  for (const entry of entries.filter((each) => each.startsWith("+"))) {
    const equals = entry.indexOf("=");
    if (equals > 0) env.set(entry.slice(1, equals), entry.slice(equals + 1));
  }
  return { deny: entries.some((entry) => entry.startsWith("D")), env };
}
