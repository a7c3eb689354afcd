import { chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mailboxRow } from "./rows.ts";
import { makeMaildir, type World } from "./world.ts";

/** The first uid of the users u0 ... of the crash and leak tests. */
export const FIRST_UID = 65000;
export const USERS = 20;

/** Delivered by a worker, twice as often as by the alias table (.qmail-sales of a stock qmail), and by a program. */
const EXTENSIONS = ["", "", "-sales", "-prog"];

// A line of a Maildir delivery in shell: the message is in new/ when it is whole.
const PROGRAM =
  '|name=p.$$.$SENDER; { printf %s%s "$RPLINE" "$DTLINE"; cat; } >Maildir/tmp/$name && mv Maildir/tmp/$name Maildir/new/$name\n';

export interface Mail {
  readonly text: string;
  readonly recipients: readonly string[];
}

/** Creates the users' homes, each with Maildir/ and Sales/; returns their paths. */
export function makeUsers(world: World): string[] {
  return Array.from({ length: USERS }, (_, i) => {
    const uid = FIRST_UID + i;
    const home = world.user(`u${i}`, uid);
    makeMaildir(join(home, "Sales"), uid, uid);
    putDotQmail(home, uid, "prog", PROGRAM);
    return home;
  });
}

export function putDotQmail(home: string, uid: number, ext: string, text: string): void {
  const file = join(home, `.qmail-${ext}`);
  writeFileSync(file, text);
  chownSync(file, uid, uid);
}

/** SQL that adds mailboxes for them, and an alias for each Sales/. */
export function userRows(homes: readonly string[]): string {
  const rows = homes.map((home, i) => {
    const uid = FIRST_UID + i;
    return `${mailboxRow({ name: `u${i}`, uid: uid, home: home })}
      INSERT INTO alias VALUES ('u${i}', 'sales', '.', '/Sales/');`;
  });
  return rows.join("\n");
}

/** An endless sequence of messages from a few bytes to a quarter of a megabyte, each for a few of the users. */
export function mail(random: (below: number) => number): () => Mail {
  let count = 0;
  return () => {
    const lines = random(10) === 0 ? random(4000) : random(100);
    const text = `Subject: ${++count}\n\n${`${"x".repeat(60)}\n`.repeat(lines)}`;
    const first = random(USERS);
    const recipients = Array.from({ length: 1 + random(4) }, (_, i) => {
      return `u${(first + i) % USERS}${EXTENSIONS[random(EXTENSIONS.length)]}@crash.example`;
    });
    return { text, recipients };
  };
}

/** The Maildir for a recipient's mail. */
export function placeOf(recipient: string, homes: readonly string[]): string {
  const [, user, sales] = /^u(\d+)(-sales)?/.exec(recipient) ?? [];
  return join(homes[Number(user)] ?? "", sales ? "Sales" : "Maildir");
}
