import { type SendControls, virtualDomainKeys } from "@qmail-mysql/routing";
import { lower } from "@qmail-mysql/wire";
import { word } from "../../output/shell.ts";
import type { Memory } from "./memory.ts";
import type { Problem } from "./problem.ts";

/** The control files that the tables are compared with. */
export interface HostFiles {
  readonly home: string;
  readonly controls: SendControls;
  /** The keys of control/virtualdomains.local, which rebuild-cdb adds. */
  readonly byHand: ReadonlySet<string>;
  /** Does qmail-smtpd accept mail for it? */
  readonly isAccepted: (host: string) => boolean;
}

/** Reports differences between the tables virtual and rcpthosts and the control files of a stock qmail. */
export function* checkHosts(memory: Memory, files: HostFiles): Generator<Problem> {
  const hosts = new Set(
    memory.virtuals.filter((row) => row.username !== "").map((row) => lower(row.virtualHost)),
  );
  hosts.delete("");
  for (const host of hosts) yield* checkHost(host, files);
  for (const host of memory.rcpthosts) {
    if (host === "" || files.isAccepted(host)) continue;
    const problem = "is not in control/morercpthosts.cdb: mail from outside is refused";
    yield { what: `rcpthosts row ("${host}")`, problem, fix: "rebuild-cdb" };
  }
  yield* checkStale(hosts, files);
}

/**
 * Reports entries of rcpthosts whose mail is accepted for another host: its recipients are not known here, so that mail
 * for those that it refuses later is bounced to senders which may be forged.
 */
export function* checkBackup(
  entries: Iterable<{ readonly file: string; readonly entry: string; readonly fix: string }>,
  { locals, virtualdomains }: SendControls,
): Generator<Problem> {
  const own = [...locals, ...[...virtualdomains].filter(([, prefix]) => prefix !== "").map(([key]) => key)];
  for (const { file, entry, fix } of entries) {
    if (entry === "localhost") continue; // the only line of a rcpthosts where all hosts are in morercpthosts
    const key = virtualDomainKeys("\0", entry).find((one) => virtualdomains.has(one));
    const isOwn = locals.has(entry) || (key !== undefined && virtualdomains.get(key) !== "");
    // An entry for all hosts below a name is needed for those that are ours.
    if (isOwn || (entry.startsWith(".") && own.some((host) => host.endsWith(entry)))) continue;
    yield {
      what: `${file}: ${entry}`,
      problem:
        "is neither local nor virtual: recipients there are accepted unchecked, and those that another host refuses cause bounces to forged senders",
      fix: `${fix} # unless this is a backup MX for it`,
    };
  }
}

function* checkHost(host: string, files: HostFiles): Generator<Problem> {
  if (/[%_]/.test(host)) return; // a pattern is not a host name
  const { home, controls, byHand } = files;
  const what = `virtual host ${host}`;
  const key = virtualDomainKeys("\0", host).find((one) => controls.virtualdomains.has(one));
  const prefix = key === undefined ? "" : controls.virtualdomains.get(key);
  if (controls.locals.has(host)) {
    const file = word(`${home}/control/locals`);
    yield {
      what,
      problem: "is in control/locals, which comes first",
      fix: `sed -i '/^${host.replaceAll(".", "\\.")}$/d' ${file} # then HUP qmail-send`,
    };
  } else if (!prefix) {
    const problem = "is not in control/virtualdomains: qmail-send sends its mail out, or bounces it (#5.4.6)";
    yield { what, problem, fix: "rebuild-cdb" };
  } else if (key === host && lower(prefix) !== host && !byHand.has(host)) {
    const problem = `control/virtualdomains gives it to "${prefix}", and no row of the table counts`;
    yield { what, problem, fix: "rebuild-cdb --overwrite" };
  }
  if (files.isAccepted(host)) return;
  yield {
    what,
    problem: "is in neither control/rcpthosts nor control/morercpthosts.cdb: mail from outside is refused",
    fix: acceptFix(host),
  };
}

const acceptFix = (host: string): string => `qmail-mysql domain add ${word(host)}; rebuild-cdb`;

/** Reports lines that rebuild-cdb wrote for rows that no longer exist. */
function* checkStale(hosts: ReadonlySet<string>, { controls, byHand }: HostFiles): Generator<Problem> {
  for (const [key, prefix] of controls.virtualdomains) {
    if (lower(prefix) !== key || hosts.has(key) || byHand.has(key)) continue;
    const problem = "has no row in the table virtual any more: its mail bounces";
    yield { what: `control/virtualdomains line ${key}:${prefix}`, problem, fix: "rebuild-cdb --overwrite" };
  }
}
