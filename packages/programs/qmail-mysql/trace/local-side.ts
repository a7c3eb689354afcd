import { type Assignment, type FindSystemAccounts, type GetpwSettings, getpw } from "@qmail-mysql/accounts";
import { type Basis, Failure, type Order, plan, temporary } from "@qmail-mysql/delivery";
import { describe, type Instruction } from "@qmail-mysql/dotqmail";
import { dotQmail, enterHome, exists } from "@qmail-mysql/maildrop";
import { type Assigned, aliasKeys, magicTarget } from "@qmail-mysql/routing";
import type { Store } from "@qmail-mysql/store";
import { homeOwner } from "@qmail-mysql/system";
import { SOFT, Trouble } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";
import { type Identity, ROOT, withIdsOf } from "../edge/effective-ids.ts";
import type { Installation } from "../edge/running.ts";
import { type Obstacle, obstacle } from "../edge/targets.ts";
import { ALIAS, named } from "../tables/rows.ts";
import type { Note } from "./notes.ts";

/** What is needed to trace a local address. */
export interface LocalSidePorts {
  readonly settings: GetpwSettings;
  readonly store: Pick<Store, "findMailboxes" | "findAliases" | "findVirtual" | "findVirtualHosts">;
  readonly installed: Installation;
  readonly defaultDelivery: string;
  readonly findSystemAccounts: FindSystemAccounts;
  /** Looks up users/cdb. Throws Die if qmail-lspawn defers. */
  readonly assigned: (local: string) => Assigned | undefined;
  /** Why a program with the effective ids cannot use the database; undefined if it can. */
  readonly whyUnaskable: () => string | undefined;
}

/** A Maildir or an mbox to which a delivery would fail. */
export class Undeliverable extends Failure {
  readonly obstacle: Obstacle;
  constructor(instruction: Doable, obstacle: Obstacle) {
    super(SOFT, `unable to deliver to ${describe(instruction)}: ${obstacle.why}`);
    this.obstacle = obstacle;
  }
}

/** Returns who controls local@host, by users/cdb, else by the tables. Throws the errors of the mail programs. */
export async function findOwner(
  local: string,
  host: string,
  ports: LocalSidePorts,
  note: Note,
): Promise<Assignment | undefined> {
  const found = ports.assigned(local);
  if (found) {
    const assignment = { ...found.control, dash: found.control.dash as "" | "-" };
    note("qmail-lspawn", spelt(assignment), `users/cdb: ${found.entry}`);
    return assignment;
  }
  const { installed, settings, store } = ports;
  const isOurs = installed.lspawn === "ours";
  const stage = isOurs ? "qmail-lspawn" : "qmail-getpw";
  const runsAs = isOurs ? ROOT : (installed.getpwAs ?? ROOT);
  const why = withIdsOf(runsAs, ports.whyUnaskable);
  if (why !== undefined) throw new Trouble(`${why}, as ${stage} runs as uid ${runsAs.uid}`);
  const by: string[] = [];
  const noTable = !isOurs && installed.stockGetpw;
  if (noTable) note("note", "bin/qmail-getpw is a stock one: no table is asked", "fix: make install");
  const owner = await getpw(
    local,
    settings,
    {
      ...store,
      ...(noTable && { findMailboxes: async () => [], findVirtualHosts: async () => [] }),
      findSystemAccounts: ports.findSystemAccounts,
      homeOwner: (home) => withIdsOf(runsAs, () => homeOwner(home)),
      warn: (line) => by.push(line),
      explain: (line) => by.push(line),
    },
    isOurs ? host : undefined,
  );
  if (!owner) note(stage, "defers", `there is no account ${settings.aliasUser}`);
  else note(stage, spelt(owner), by.join("; ") || `the user ${settings.aliasUser}`);
  return owner;
}

const spelt = ({ user, uid, gid, home, dash, ext }: Assignment): string =>
  `user ${user}, uid ${uid}, gid ${gid}, home ${home}, extension ${dash === "" && ext === "" ? "none" : `"${ext}"`}`;

export type Doable = Exclude<Instruction, { kind: "refuse" }>;

/** Returns the instructions that qmail-local would carry out. Throws its errors. */
export async function planDelivery(
  order: Order,
  identity: Identity,
  deliveredTo: string,
  ports: LocalSidePorts,
  note: Note,
): Promise<Doable[]> {
  const { installed, settings, store } = ports;
  const noTable = installed.lspawn === "stock" && installed.stockLocal;
  if (noTable)
    note(
      "note",
      "bin/qmail-local is a stock one: no alias row is used",
      "fix: make install PROGRAMS=qmail-local",
    );
  const { user, local, ext, host } = order;
  const isMagic = settings.magicForwarding && magicTarget(user, local, ext) !== undefined;
  const skip = isMagic || noTable;
  const rows = skip ? [] : await store.findAliases(lower(user), aliasKeys(ext, host));
  const ask = () => {
    const why = noTable ? undefined : ports.whyUnaskable();
    if (why !== undefined) throw new Trouble(`${why}, as qmail-local runs as uid ${identity.uid}`);
  };
  try {
    return await withIdsOf(identity, async () => {
      const { asked, basis } = await plan(order, false, {
        enterHome,
        exists,
        message: () => [Buffer.from(`${deliveredTo}\n`, "latin1")],
        now: () => new Date(),
        warn: (line) => note("qmail-local", "warns", line),
        tables: async () => {
          if (installed.lspawn === "stock") ask();
          return {
            findAliases: async () => rows,
            magicForwarding: settings.magicForwarding && !noTable,
            close: async () => {},
          };
        },
        dotQmail,
      });
      const all = [...asked];
      note(
        "qmail-local",
        all.map(describeAny).join(", ") || "does nothing with it",
        spelled(basis, order.home),
      );
      // For programs and forwards the worker of our qmail-lspawn runs qmail-local, which uses the database itself.
      if (installed.lspawn === "ours" && all.some(needsProgram)) ask();
      return all.map((instruction) => {
        if (instruction.kind === "refuse") throw temporary(instruction.why);
        const found = obstacle(instruction, order.home, identity);
        if (found) throw new Undeliverable(instruction, found);
        return instruction;
      });
    });
  } finally {
    process.chdir("/");
  }
}

function spelled(basis: Basis, home: string): string {
  switch (basis.kind) {
    case "rows":
      return basis.rows.map((row) => named(ALIAS, columns(row))).join(", ");
    case "file":
      return `${home}/${basis.file}${basis.isEmpty ? " is empty: the default delivery" : ""}`;
    case "magic forwarding":
      return basis.kind;
    case "default delivery":
      return "no alias row and no .qmail file: the default delivery";
  }
}

const describeAny = (instruction: Instruction): string =>
  instruction.kind === "refuse" ? instruction.why : describe(instruction);

const needsProgram = ({ kind }: Instruction): boolean => kind === "program" || kind === "forward";

const columns = (row: { username: string; alias: string; aliasUsername: string; aliasHost: string }) => ({
  username: row.username,
  alias: row.alias,
  alias_username: row.aliasUsername,
  alias_host: row.aliasHost,
});
