import {
  aliasInstruction,
  candidates,
  deliveredTo,
  deliveryEnvironment,
  headerHolds,
  type Instruction,
  instructions,
  newSender,
} from "@qmail-mysql/dotqmail";
import {
  type AliasRow,
  ANY_EXTENSION,
  aliasKeys,
  chooseAliases,
  type FindAliases,
  magicTarget,
} from "@qmail-mysql/routing";
import { HARD } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";
import { Failure, NoMailbox, temporary } from "./failure.ts";
import { type Order, USAGE } from "./order.ts";

/** A .qmail file. */
export interface DotQmail {
  readonly text: string;
  /** Its owner's x bit. */
  readonly executable: boolean;
}

/** The alias table, for one delivery. */
export interface AliasTables {
  readonly findAliases: FindAliases;
  readonly magicForwarding: boolean;
  readonly close: () => Promise<void>;
}

/** Ports. File names are relative to the current directory, the home. Each port throws Failure on trouble. */
export interface LocalPorts {
  /** Makes home the current directory; returns its mode. */
  readonly enterHome: (home: string) => number;
  /** The message, from its beginning. */
  readonly message: () => Iterable<Uint8Array>;
  /** Opens the tables. Called once, and only when needed. */
  readonly tables: () => Promise<AliasTables>;
  readonly dotQmail: (file: string) => DotQmail | undefined;
  readonly exists: (file: string) => boolean;
  readonly now: () => Date;
  readonly warn: (line: string) => void;
}

/** What the instructions of a delivery come from. */
export type Basis =
  | { readonly kind: "rows"; readonly rows: readonly AliasRow[] }
  /** `isDefault`: a file for any extension. An empty file stands for the default delivery. */
  | { readonly kind: "file"; readonly file: string; readonly isDefault: boolean; readonly isEmpty: boolean }
  | { readonly kind: "magic forwarding" | "default delivery" };

/** The instructions for a message, and their environment. */
export interface Plan {
  readonly asked: Iterable<Instruction>;
  readonly basis: Basis;
  readonly env: Readonly<Record<string, string>>;
}

const OTHERS_WRITE = 0o002; // conf-patrn
const STICKY = 0o1000;

/**
 * The instructions for an address: those of its alias rows, else those of its .qmail file. With `dry` there is no
 * message, and a sticky home is not an error. Throws Failure, or what the lookup of the rows throws; nothing has been
 * delivered then.
 */
export async function plan(order: Order, dry: boolean, world: LocalPorts): Promise<Plan> {
  const { home, local, host } = order;
  // Wrong usage, as in stock qmail-local: users/cdb can contain such a home.
  if (!home.startsWith("/")) throw new Failure(HARD, `qmail-local: usage: ${USAGE}`);
  const mode = world.enterHome(home);
  if (mode & OTHERS_WRITE) throw temporary("Uh-oh: home directory is writable. (#4.7.0)");
  if (mode & STICKY) {
    if (!dry) throw temporary("Home directory is sticky: user is editing his .qmail file. (#4.2.1)");
    world.warn("Warning: home directory is sticky.");
  }
  if (!dry && headerHolds(world.message(), deliveredTo(local, host))) {
    throw new Failure(HARD, "This message is looping: it already has my Delivered-To line. (#5.4.6)");
  }
  const { asked, basis, defaultPart } = (await fromTables(order, world)) ?? fromFiles(order, world);
  const delivery = {
    ...order,
    defaultPart,
    newSender: newSender(order, world.exists),
    now: world.now(),
  };
  return { asked, basis, env: deliveryEnvironment(delivery) };
}

interface Found extends Omit<Plan, "env"> {
  readonly defaultPart: string | undefined;
}

async function fromTables(order: Order, world: LocalPorts): Promise<Found | undefined> {
  const { user, local, ext, host } = order;
  const tables = await world.tables();
  try {
    const magic = tables.magicForwarding ? magicTarget(user, local, ext) : undefined;
    if (magic !== undefined) {
      const asked: Instruction[] = [{ kind: "forward", address: magic }];
      return { asked, basis: { kind: "magic forwarding" }, defaultPart: undefined };
    }
    const rows = chooseAliases(await tables.findAliases(lower(user), aliasKeys(ext, host)), ext, host);
    const [first] = rows;
    if (!first) return undefined;
    const enabled = rows.filter((row) => !row.isDisabled);
    if (enabled.length === 0) throw new Failure(HARD, "This address is disabled. (#5.2.1)");
    // All rows are checked before the first is carried out, so that an invalid one does not cause duplicates.
    return {
      asked: enabled.map(aliasInstruction),
      basis: { kind: "rows", rows: enabled },
      defaultPart: first.alias === ANY_EXTENSION ? ext : undefined,
    };
  } finally {
    await tables.close();
  }
}

function fromFiles({ dash, ext, defaultDelivery }: Order, world: LocalPorts): Found {
  for (const { file, defaultPart, isDefault } of candidates(dash, ext)) {
    const found = world.dotQmail(file);
    if (!found) continue;
    const isEmpty = found.text === "";
    const asked = isEmpty ? instructions(defaultDelivery, false) : instructions(found.text, found.executable);
    return { asked, basis: { kind: "file", file, isDefault, isEmpty }, defaultPart };
  }
  if (dash !== "") throw new NoMailbox();
  const asked = instructions(defaultDelivery, false);
  return { asked, basis: { kind: "default delivery" }, defaultPart: undefined };
}
