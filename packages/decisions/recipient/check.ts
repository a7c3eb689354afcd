import { Held } from "@qmail-mysql/accounts";
import { type Basis, Failure, NoMailbox, plan, type RoutePorts, route } from "@qmail-mysql/delivery";
import { candidates } from "@qmail-mysql/dotqmail";
import {
  ANY_EXTENSION,
  acceptRecipient,
  type Control,
  rewrite,
  rowText,
  type SendControls,
} from "@qmail-mysql/routing";
import { HARD, reason, Trouble } from "@qmail-mysql/trouble";
import { splitAddress } from "@qmail-mysql/wire";
import { type RecipientRequest, type RecipientVerdict, withoutLookup } from "./verdict.ts";

/** The control files that say which recipients are ours, as they are now. */
export interface RecipientControls extends SendControls {
  /** control/rcpthosts in lower case; undefined if there is no such file. */
  readonly rcpthosts: ReadonlySet<string> | undefined;
  /** Does control/morercpthosts.cdb contain this key? Throws Trouble. */
  readonly isInMore: (key: string) => boolean;
}

/** What is at a path. `hidden`: it cannot be examined by the uid that asks, or not now. */
export type Seen =
  | "absent"
  | "hidden"
  | { readonly kind: "directory" | "file" | "other"; readonly uid: number; readonly mode: number };

/** Ports: the lookups of qmail-lspawn, and what is at a path. Each throws on trouble. */
export interface RecipientPorts extends Omit<RoutePorts, "homeOwner" | "warn" | "explain"> {
  readonly controls: () => RecipientControls;
  /** stat(2) of a home or of a .qmail file. */
  readonly look: (path: string) => Promise<Seen>;
}

/** What decides is hidden from the uid that asks, or is to be decided at delivery; the mail is accepted. */
class Unverifiable extends Error {}

/**
 * The verdict about a recipient: that of qmail-smtpd about its host, then what qmail-send, qmail-lspawn and qmail-local
 * would decide. Does not throw.
 */
export async function checkRecipient(
  request: RecipientRequest,
  ports: RecipientPorts,
): Promise<RecipientVerdict> {
  const early = withoutLookup(request);
  if (early) return early;
  const found: string[] = [];
  const given = (verdict: RecipientVerdict["verdict"], last: string): RecipientVerdict => ({
    verdict,
    by: oneLine([...found, last].filter((part) => part !== "").join("; ")),
  });
  try {
    return await decide(request.address, ports, found, given);
  } catch (error) {
    if (error instanceof Held) return given(error.bounce ? "disabled" : "unverifiable", error.message);
    if (error instanceof NoMailbox) return given("unknown", "no alias row and no .qmail file");
    if (error instanceof Failure && error.code === HARD) return given("disabled", error.message);
    // Another failure of a delivery is that of a home or a .qmail file: the mail would wait.
    if (error instanceof Unverifiable || error instanceof Failure) {
      return given("unverifiable", error.message);
    }
    return given("trouble", reason(error));
  }
}

const oneLine = (text: string): string => text.replace(/[\0-\x1f\x7f]/g, "_");

async function decide(
  address: string,
  ports: RecipientPorts,
  found: string[],
  given: (verdict: RecipientVerdict["verdict"], last: string) => RecipientVerdict,
): Promise<RecipientVerdict> {
  const controls = ports.controls();
  const accepted = acceptRecipient(address, controls.rcpthosts, controls.isInMore);
  if (!accepted.accepted) return given("not-ours", "neither rcpthosts nor morercpthosts.cdb has its host");
  const sent = rewrite(address, controls);
  if (sent.channel === "remote") {
    const why = sent.steps.at(-1)?.file === "virtualdomains" ? "virtualdomains excludes its host" : BACKUP;
    return given("unverifiable", why);
  }
  const { local, host } = splitAddress(sent.address) ?? { local: "", host: "" };
  if (local === "") return given("unknown", "an address without a local part");

  let isCatchAll = false;
  const homes = openHomes(ports);
  const routed = await route(local, host, {
    ...ports,
    ...homes.ports,
    warn: (line) => found.push(line),
    explain: (line, isForAny = false) => {
      found.push(line);
      isCatchAll ||= isForAny;
    },
  });
  if (typeof routed === "number") throw new Trouble(`qmail-lspawn would defer it with status ${routed}`);
  const { control, aliases } = routed;
  const { home, dash } = control;
  if (!home.startsWith("/")) throw new Trouble(`the home ${home} is not absolute`);
  // The address of a user is deliverable with or without a file.
  const isByFile = aliases.length === 0 && dash !== "";
  const { mode, file } = isByFile ? await findFile(control, ports, homes.claims.get(home)) : UNSEARCHED;
  const { basis } = await plan({ ...control, local, host, sender: "", defaultDelivery: "" }, false, {
    enterHome: () => mode,
    tables: async () => ({
      findAliases: async () => aliases,
      magicForwarding: ports.settings.magicForwarding,
      close: async () => {},
    }),
    dotQmail: (name) => (name === file ? { text: "", executable: false } : undefined),
    exists: () => false,
    message: () => [],
    now: () => new Date(0),
    warn: () => {},
  });
  return given(isCatchAll || isForAny(basis) ? "catch-all" : "deliverable", described(basis, home));
}

const BACKUP = "rcpthosts has its host, but neither locals nor virtualdomains: another host delivers it";

interface Homes {
  readonly ports: Pick<RoutePorts, "findMailboxes" | "findSystemAccounts" | "homeOwner">;
  /** The uids of mailboxes whose homes were not examined. */
  readonly claims: ReadonlyMap<string, number>;
}

/**
 * The lookups of rows with homes; the homes are examined before they are asked for. That of a mailbox is not if a wrong
 * one would only defer the mail.
 */
function openHomes({ findMailboxes, findSystemAccounts, look, settings }: RecipientPorts): Homes {
  const claims = new Map<string, number>();
  const homes = new Map<string, Seen>();
  const isDeferred = settings.homeMismatch === "defer";
  const examined = async <T extends { readonly home: string } | { readonly wrong: string }>(
    rows: readonly T[],
  ): Promise<readonly T[]> => {
    for (const row of rows) {
      if ("home" in row && !homes.has(row.home)) homes.set(row.home, await look(row.home));
    }
    return rows;
  };
  const ports: Homes["ports"] = {
    findMailboxes: isDeferred ? findMailboxes : async (names) => examined(await findMailboxes(names)),
    findSystemAccounts: async (names) => examined(await findSystemAccounts(names)),
    homeOwner(home, claimed) {
      if (claimed !== undefined && isDeferred) {
        claims.set(home, claimed);
        return { uid: claimed };
      }
      const seen = homes.get(home) ?? "hidden";
      if (seen === "absent") return { unusable: "file does not exist" };
      if (seen !== "hidden") return { uid: seen.uid };
      throw new Unverifiable(`unable to see the home ${home}`);
    },
  };
  return { ports, claims };
}

interface Searched {
  /** The mode of the home. */
  readonly mode: number;
  readonly file: string | undefined;
}

const PRIVATE = 0o700;
const UNSEARCHED: Searched = { mode: PRIVATE, file: undefined };

/** The .qmail file that qmail-local would use; undefined if there is none. Throws Unverifiable. */
async function findFile(
  { home, dash, ext }: Control,
  { look }: RecipientPorts,
  claimed: number | undefined,
): Promise<Searched> {
  const directory = await look(home);
  // Without its home a delivery waits. A hidden one may be usable: its files decide.
  if (directory === "absent" || (directory !== "hidden" && directory.kind !== "directory")) {
    throw new Unverifiable(`home ${home} does not exist`);
  }
  if (claimed !== undefined && directory !== "hidden" && directory.uid !== claimed) {
    throw new Unverifiable(`home ${home} is owned by uid ${directory.uid}`);
  }
  const mode = directory === "hidden" ? PRIVATE : directory.mode;
  for (const { file } of candidates(dash, ext)) {
    const seen = await look(`${home}/${file}`);
    if (seen === "hidden") throw new Unverifiable(`unable to see ${home}/${file}`);
    if (seen !== "absent" && seen.kind === "file") return { mode, file };
  }
  return { mode, file: undefined };
}

function isForAny(basis: Basis): boolean {
  if (basis.kind === "rows") return basis.rows[0]?.alias === ANY_EXTENSION;
  return basis.kind === "file" && basis.isDefault;
}

function described(basis: Basis, home: string): string {
  switch (basis.kind) {
    case "rows":
      return basis.rows
        .map((row) => rowText("alias", [row.username, row.alias, row.aliasUsername, row.aliasHost]))
        .join(", ");
    case "file":
      return `${home}/${basis.file}`;
    case "magic forwarding":
      return basis.kind;
    case "default delivery":
      return "";
  }
}
