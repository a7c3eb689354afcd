import { type Assignment, Held } from "@qmail-mysql/accounts";
import type { Database } from "@qmail-mysql/database";
import { Failure } from "@qmail-mysql/delivery";
import { deliveredTo, describe } from "@qmail-mysql/dotqmail";
import type { CheckRecipient, RecipientVerdict } from "@qmail-mysql/recipient";
import { AliasMisconfiguration, type SendControls, VirtualMisconfiguration } from "@qmail-mysql/routing";
import { Die, HARD, Trouble } from "@qmail-mysql/trouble";
import { splitAddress } from "@qmail-mysql/wire";
import { findOwner, type LocalSidePorts, planDelivery } from "./local-side.ts";
import type { Note, Outcome, Step, Trace } from "./notes.ts";
import { atSend, atSmtpd } from "./remote-side.ts";

/** What is needed to trace an address. */
export interface TracePorts extends LocalSidePorts {
  readonly home: string;
  /** For what the mail programs do not read from the database. */
  readonly database: Database;
  readonly controls: SendControls;
  readonly checkRecipient: CheckRecipient;
}

const MAX_FORWARDS = 100; // forwarded addresses that are traced for one address

/** Traces an address, and those to which it is forwarded, through all programs. Delivers nothing. */
export async function trace(address: string, ports: TracePorts): Promise<Trace> {
  let left = MAX_FORWARDS;
  const follow = async (to: string, before: string): Promise<Trace> => {
    const steps: Step[] = [];
    const note = (stage: string, decision: string, by = "") => void steps.push({ stage, decision, by });
    let owner: Assignment | null = null;
    const first = before === "";
    const accepted = !first || (await atSmtpd(to, ports.home, ports.database, note));
    const recipient = first ? await asRecipient(to, ports, note) : null;
    const sent = await atSend(to, ports.controls, ports.store, note);
    if (!accepted) note("note", "the rest is for clients that may relay, and for mail from this machine");
    const end = (
      outcome: Outcome,
      instructions: readonly string[] = [],
      forwards: readonly Trace[] = [],
    ) => ({
      address: to,
      steps,
      owner,
      instructions,
      accepted,
      recipient,
      outcome,
      forwards,
    });
    if (sent.channel === "remote") return end("remote");
    const { local, host } = splitAddress(sent.address) ?? { local: sent.address, host: "" };
    if (local === "") {
      note("qmail-lspawn", "throws it away", "an address without a local part");
      return end("delivered");
    }
    let stage = ports.installed.lspawn === "ours" ? "qmail-lspawn" : "qmail-getpw";
    try {
      owner = (await findOwner(local, host, ports, note)) ?? null;
      if (!owner) return end("waits");
      if (owner.uid === 0) throw new Trouble("Not allowed to perform deliveries as root.");
      stage = "qmail-local";
      const order = { ...owner, local, host, sender: "", defaultDelivery: ports.defaultDelivery };
      const asked = await planDelivery(order, owner, before, ports, note);
      const forwards: Trace[] = [];
      for (const { address: next } of asked.filter((one) => one.kind === "forward")) {
        if (left-- > 0) forwards.push(await follow(next, `${before}${deliveredTo(local, host)}`));
      }
      return end("delivered", asked.map(describe), forwards);
    } catch (error) {
      const outcome = failed(error);
      note(stage, outcome === "bounces" ? "bounces" : "defers", error instanceof Error ? error.message : "");
      return end(outcome);
    }
  };
  return follow(address, "");
}

/** The verdict that an SMTP server gets that asks for it. */
async function asRecipient(address: string, ports: TracePorts, note: Note): Promise<RecipientVerdict> {
  const recipient = await ports.checkRecipient({ address, mayRelay: false });
  note("recipient", recipient.verdict, recipient.by);
  return recipient;
}

/** The result for the mail of an error of the mail programs; other errors are thrown. */
function failed(error: unknown): "bounces" | "waits" {
  if (error instanceof Failure) return error.code === HARD ? "bounces" : "waits";
  if (error instanceof Held) return error.bounce ? "bounces" : "waits";
  if (error instanceof Die) return error.code === HARD ? "bounces" : "waits";
  const isKnown =
    error instanceof Trouble ||
    error instanceof AliasMisconfiguration ||
    error instanceof VirtualMisconfiguration;
  if (isKnown) return "waits";
  throw error;
}
