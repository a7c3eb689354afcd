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
import { ANY_EXTENSION, aliasKeys, chooseAliases, type FindAliases, magicTarget } from "@qmail-mysql/routing";
import { HARD } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";
import { Failure, temporary } from "./failure.ts";
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

/** The instructions for a message, and their environment. */
export interface Plan {
  readonly asked: Iterable<Instruction>;
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
  const { asked, defaultPart } = (await fromTables(order, world)) ?? fromFiles(order, world);
  const delivery = {
    ...order,
    defaultPart,
    newSender: newSender(order, world.exists),
    now: world.now(),
  };
  return { asked, env: deliveryEnvironment(delivery) };
}

interface Found {
  readonly asked: Iterable<Instruction>;
  readonly defaultPart: string | undefined;
}

async function fromTables(order: Order, world: LocalPorts): Promise<Found | undefined> {
  const { user, local, ext, host } = order;
  const tables = await world.tables();
  try {
    const magic = tables.magicForwarding ? magicTarget(user, local, ext) : undefined;
    if (magic !== undefined) {
      return { asked: [{ kind: "forward", address: magic }], defaultPart: undefined };
    }
    const rows = chooseAliases(await tables.findAliases(lower(user), aliasKeys(ext, host)), ext, host);
    const [first] = rows;
    if (!first) return undefined;
    const enabled = rows.filter((row) => !row.isDisabled);
    if (enabled.length === 0) throw new Failure(HARD, "This address is disabled. (#5.2.1)");
    // All rows are checked before the first is carried out, so that an invalid one does not cause duplicates.
    return {
      asked: enabled.map(aliasInstruction),
      defaultPart: first.alias === ANY_EXTENSION ? ext : undefined,
    };
  } finally {
    await tables.close();
  }
}

function fromFiles({ dash, ext, defaultDelivery }: Order, world: LocalPorts): Found {
  for (const { file, defaultPart } of candidates(dash, ext)) {
    const found = world.dotQmail(file);
    if (!found) continue;
    const asked =
      found.text === "" ? instructions(defaultDelivery, false) : instructions(found.text, found.executable);
    return { asked, defaultPart };
  }
  if (dash !== "") throw new Failure(HARD, "Sorry, no mailbox here by that name. (#5.1.1)");
  return { asked: instructions(defaultDelivery, false), defaultPart: undefined };
}
