import { deliveredTo, mboxFrom, returnPath } from "./lines.ts";
import type { Addressed } from "./new-sender.ts";

/** The input of deliveryEnvironment. */
export interface Delivery extends Addressed {
  readonly user: string;
  readonly home: string;
  readonly newSender: string;
  readonly defaultPart: string | undefined;
  readonly now: Date;
}

/** The variables set for programs and qmail-queue, beyond those inherited: qmail-command(8). */
export function deliveryEnvironment(delivery: Delivery): Readonly<Record<string, string>> {
  const { user, home, local, host, ext, sender, defaultPart } = delivery;
  const ext2 = afterDash(ext);
  const ext3 = afterDash(ext2);
  const host2 = beforeLastDot(host);
  const host3 = beforeLastDot(host2);
  return {
    USER: user,
    HOME: home,
    LOCAL: local,
    HOST: host,
    HOST2: host2,
    HOST3: host3,
    HOST4: beforeLastDot(host3),
    RECIPIENT: `${local}@${host}`,
    EXT: ext,
    EXT2: ext2,
    EXT3: ext3,
    EXT4: afterDash(ext3),
    SENDER: sender,
    NEWSENDER: delivery.newSender,
    DTLINE: deliveredTo(local, host),
    RPLINE: returnPath(sender),
    UFLINE: mboxFrom(sender, delivery.now),
    ...(defaultPart !== undefined && { DEFAULT: defaultPart }),
  };
}

function afterDash(ext: string): string {
  const at = ext.indexOf("-");
  return at < 0 ? "" : ext.slice(at + 1);
}

/** A host without a dot is returned unchanged: qmail-command(8). */
function beforeLastDot(host: string): string {
  const at = host.lastIndexOf(".");
  return at < 0 ? host : host.slice(0, at);
}
