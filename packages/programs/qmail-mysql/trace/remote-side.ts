import type { Database } from "@qmail-mysql/database";
import {
  acceptRecipient,
  type Rewritten,
  rcptHostKeys,
  rewrite,
  type SendControls,
} from "@qmail-mysql/routing";
import { rcptHosts, withCdb } from "@qmail-mysql/routing-controls";
import type { Store } from "@qmail-mysql/store";
import { lower, splitAddress } from "@qmail-mysql/wire";
import { findRows, named, RCPTHOSTS } from "../tables/rows.ts";
import type { Note } from "./notes.ts";

/** Does qmail-smtpd accept it from a client that may not relay? */
export async function atSmtpd(
  address: string,
  home: string,
  database: Database,
  note: Note,
): Promise<boolean> {
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
  const entry = "entry" in decision ? decision.entry : "";
  const by = {
    "no host": "an address without a host is always accepted",
    "no rcpthosts": "there is no control/rcpthosts: it relays for everybody",
    rcpthosts: `control/rcpthosts: ${entry}`,
    "morercpthosts.cdb": `control/morercpthosts.cdb: ${entry}`,
  }[decision.by];
  note(stage, "accepts it", by);
  return true;
}

/** Returns the channel that qmail-send chooses, and the rewritten address. */
export async function atSend(
  address: string,
  controls: SendControls,
  store: Pick<Store, "findVirtualHosts">,
  note: Note,
): Promise<Rewritten> {
  const sent = rewrite(address, controls);
  const last = sent.steps.at(-1);
  for (const step of sent.steps.slice(0, -1)) {
    note("qmail-send", `rewrites it to ${step.address}`, `control/${step.file}: ${step.entry}`);
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
    const isLocal = last?.file === "locals";
    const why = isLocal ? "control/locals comes first" : "control/virtualdomains has no line for it";
    const fix = isLocal ? `fix: take ${host} out of control/locals` : "fix: rebuild-cdb";
    note("note", `the virtual table has ${host}, but ${why}`, fix);
  }
  return sent;
}
