import { type Assignment, getpw, Held } from "@qmail-mysql/accounts";
import type { SqlServer } from "@qmail-mysql/control";
import { aliasUser, breakChar } from "@qmail-mysql/control-files";
import { Failure, plan } from "@qmail-mysql/delivery";
import { describe } from "@qmail-mysql/dotqmail";
import { dotQmail, enterHome, exists } from "@qmail-mysql/maildrop";
import {
  AliasMisconfiguration,
  acceptRecipient,
  chooseAliases,
  findAssigned,
  rcptHostKeys,
  rewrite,
  VirtualMisconfiguration,
} from "@qmail-mysql/routing";
import { type Database, type Row, type Store, storeOver } from "@qmail-mysql/store";
import { findSystemAccounts, homeOwner } from "@qmail-mysql/system";
import { lower, splitAddress } from "@qmail-mysql/wire";
import { rcptHosts, sendControls, withCdb } from "../edge/controls.ts";
import { ALIAS, findRows, named, RCPTHOSTS } from "../tables/rows.ts";

/** What becomes of the mail in the end. */
export type Outcome = "delivered" | "remote" | "bounces" | "waits";

export interface Trace {
  readonly address: string;
  /** Each stage in turn: who decides, what, and by which row or file. */
  readonly steps: readonly { readonly stage: string; readonly decision: string; readonly by: string }[];
  /** What qmail-local would do, as `qmail-local -n` spells it. */
  readonly instructions: readonly string[];
  /** Does qmail-smtpd take it from a client that may not relay? */
  readonly accepted: boolean;
  readonly outcome: Outcome;
}

type Notes = (stage: string, decision: string, by?: string) => void;

/** Follows an address through every stage and delivers nothing. Throws Trouble when a stage could not be asked. */
export async function trace(
  address: string,
  home: string,
  database: Database,
  config: SqlServer,
  defaultDelivery: string,
): Promise<Trace> {
  const steps: { stage: string; decision: string; by: string }[] = [];
  const note: Notes = (stage, decision, by = "") => steps.push({ stage, decision, by });
  const store = storeOver(database, config.funkyQueries);
  const accepted = await atSmtpd(address, home, database, note);
  const end = (outcome: Outcome, instructions: readonly string[] = []): Trace => ({
    address,
    steps,
    instructions,
    accepted,
    outcome,
  });
  const sent = await atSend(address, home, store, note);
  if (!accepted) note("note", "the rest is for clients that may relay, and for mail from this machine");
  if (sent.channel === "remote") return end("remote");
  const { local, host } = splitAddress(sent.address) ?? { local: sent.address, host: "" };
  try {
    const owner = atLspawn(local, home, note) ?? (await atGetpw(local, store, config, note));
    if (!owner) return end("waits");
    const asked = await atLocal({ ...owner, local, host, sender: "", defaultDelivery }, store, config, note);
    return end(asked.refused ? "waits" : "delivered", asked.instructions);
  } catch (error) {
    if (error instanceof Failure) {
      note("qmail-local", error.code === 100 ? "bounces" : "lets it wait", error.message);
      return end(error.code === 100 ? "bounces" : "waits");
    }
    if (error instanceof Held) {
      note("qmail-getpw", error.bounce ? "bounces" : "lets it wait", error.message);
      return end(error.bounce ? "bounces" : "waits");
    }
    if (error instanceof AliasMisconfiguration || error instanceof VirtualMisconfiguration) {
      note(
        error instanceof AliasMisconfiguration ? "qmail-local" : "qmail-getpw",
        "lets it wait",
        error.message,
      );
      return end("waits");
    }
    throw error;
  }
}

async function atSmtpd(address: string, home: string, database: Database, note: Notes): Promise<boolean> {
  const stage = "qmail-smtpd";
  const decision = withCdb(`${home}/control/morercpthosts.cdb`, (cdb) =>
    acceptRecipient(address, rcptHosts(home), (key) => cdb?.get(key) !== undefined),
  );
  if (!decision.accepted) {
    note(
      stage,
      "refuses it from outside (553)",
      "neither control/rcpthosts nor control/morercpthosts.cdb has its host",
    );
    for (const host of rcptHostKeys(splitAddress(address)?.host ?? "")) {
      const [row] = await findRows(database, RCPTHOSTS, { host });
      if (row)
        note("note", `${named(RCPTHOSTS, row)} is there, but not in morercpthosts.cdb`, "fix: rebuild-cdb");
    }
    return false;
  }
  const by = {
    "no host": "an address without a host is always taken",
    "no rcpthosts": "there is no control/rcpthosts: it relays for everybody",
    rcpthosts: `control/rcpthosts: ${"entry" in decision ? decision.entry : ""}`,
    "morercpthosts.cdb": `control/morercpthosts.cdb: ${"entry" in decision ? decision.entry : ""}`,
  }[decision.by];
  note(stage, "accepts it", by);
  return true;
}

async function atSend(address: string, home: string, store: Store, note: Notes) {
  const controls = sendControls(home);
  const sent = rewrite(address, controls);
  const last = sent.steps.at(-1);
  for (const step of sent.steps.slice(0, -1)) {
    note("qmail-send", `makes it ${step.address}`, `control/${step.file}: ${step.entry}`);
  }
  const prefix = controls.virtualdomains.get(last?.entry ?? "");
  const by = {
    envnoathost: "",
    percenthack: "",
    locals: `control/locals: ${last?.entry}`,
    virtualdomains: `control/virtualdomains: ${last?.entry}:${prefix}`,
    nobody: "neither control/locals nor control/virtualdomains has its host",
  }[last?.file ?? "nobody"];
  note("qmail-send", sent.channel === "local" ? `local, as ${sent.address}` : "remote: it is sent out", by);
  const host = lower(splitAddress(sent.steps.at(-1)?.address ?? address)?.host ?? "");
  if (last?.file !== "virtualdomains" && (await store.findVirtualHosts([host])).length > 0) {
    const why =
      last?.file === "locals" ? "control/locals comes first" : "control/virtualdomains has no line for it";
    const fix = last?.file === "locals" ? `fix: take ${host} out of control/locals` : "fix: rebuild-cdb";
    note("note", `the virtual table has ${host}, but ${why}`, fix);
  }
  return sent;
}

function atLspawn(local: string, home: string, note: Notes): Assignment | undefined {
  const found = withCdb(`${home}/users/cdb`, (cdb) => {
    if (!cdb) return undefined;
    return findAssigned(local, (key) => {
      const data = cdb.get(key);
      return data && Buffer.from(data).toString("latin1");
    });
  });
  if (!found) return undefined;
  const [user = "", uid, gid, home_ = "", dash = "", ext = ""] = found.fields;
  const assignment = { user, uid: Number(uid), gid: Number(gid), home: home_, dash: dash as "" | "-", ext };
  note("qmail-lspawn", spelt(assignment), `users/cdb: ${found.entry}`);
  return assignment;
}

async function atGetpw(
  local: string,
  store: Store,
  config: SqlServer,
  note: Notes,
): Promise<Assignment | undefined> {
  const by: string[] = [];
  const settings = { ...config, breakChar: breakChar(), aliasUser: aliasUser() };
  const owner = await getpw(local, settings, {
    ...store,
    findSystemAccounts: async (names) => findSystemAccounts(names, config.timeout),
    homeOwner,
    warn: (line) => by.push(line),
    explain: (line) => by.push(line),
  });
  if (!owner) note("qmail-getpw", "lets it wait", `no account ${settings.aliasUser}`);
  else note("qmail-getpw", spelt(owner), by.join("; ") || `nobody's name: ${settings.aliasUser} has it`);
  return owner;
}

const spelt = ({ user, uid, gid, home, dash, ext }: Assignment): string =>
  `user ${user}, uid ${uid}, gid ${gid}, home ${home}, extension ${dash === "" && ext === "" ? "none" : `"${ext}"`}`;

async function atLocal(
  order: Parameters<typeof plan>[0],
  store: Store,
  config: SqlServer,
  note: Notes,
): Promise<{ instructions: string[]; refused: boolean }> {
  let by = "no alias row and no .qmail file: the default delivery";
  const { asked } = await plan(order, true, {
    enterHome,
    exists,
    message: () => [],
    now: () => new Date(),
    warn: (line) => note("qmail-local", "warns", line),
    tables: async () => ({
      findAliases: async (user, aliases) => {
        const rows = await store.findAliases(user, aliases);
        const chosen = chooseAliases(rows, order.ext, order.host);
        if (chosen.length > 0) by = chosen.map((row) => named(ALIAS, aliasColumns(row))).join(", ");
        return rows;
      },
      magicForwarding: config.magicForwarding,
      close: async () => {},
    }),
    dotQmail: (file) => {
      const found = dotQmail(file);
      if (found) by = `${order.home}/${file}${found.text === "" ? " is empty: the default delivery" : ""}`;
      return found;
    },
  });
  const instructions: string[] = [];
  for (const instruction of asked) {
    if (instruction.kind === "refuse") {
      note("qmail-local", "lets it wait", instruction.why);
      return { instructions, refused: true };
    }
    instructions.push(describe(instruction));
  }
  const magic = instructions.length === 1 && instructions[0] === `forward ${order.ext}`;
  note(
    "qmail-local",
    instructions.length === 0 ? "does nothing with it" : instructions.join(", "),
    magic ? "magic forwarding" : by,
  );
  return { instructions, refused: false };
}

const aliasColumns = (row: {
  username: string;
  alias: string;
  aliasUsername: string;
  aliasHost: string;
}): Row => ({
  username: row.username,
  alias: row.alias,
  alias_username: row.aliasUsername,
  alias_host: row.aliasHost,
});
