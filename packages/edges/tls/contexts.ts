import { createSecureContext, type SecureContext } from "node:tls";
import { bestName } from "@qmail-mysql/certificates";
import { reason, Trouble } from "@qmail-mysql/trouble";

/** The certificate for a client that wants this server name; undefined if there is none. */
export type Contexts = (serverName: string) => SecureContext | undefined;

/** A certificate with its chain and its key, in PEM; the name "" is the default. */
interface Certificate {
  readonly name: string;
  readonly chain: string;
  readonly key: string;
}

/** Throws Trouble if one is unusable. */
export function openContexts(certificates: readonly Certificate[]): Contexts {
  const contexts = new Map(certificates.map((each) => [each.name, contextOf(each)]));
  return (serverName) => {
    const name = bestName(serverName, (each) => contexts.has(each));
    return name === undefined ? undefined : contexts.get(name);
  };
}

function contextOf({ name, chain, key }: Certificate): SecureContext {
  try {
    return createSecureContext({ cert: chain, key, minVersion: "TLSv1.2" });
  } catch (error) {
    throw new Trouble(`unable to use the certificate of ${name || "the default"}: ${reason(error)}`);
  }
}
