import { lower } from "@qmail-mysql/wire";

/** An entry for a list of hosts; or why the row makes none. */
export type Entry = { readonly entry: string } | { readonly unusable: string };

/** The entry of control/morercpthosts for a row of rcpthosts. */
export function rcptHost(host: string): Entry {
  if (host === "") return { unusable: "no host" };
  if (/[\0-\x20\x7f]/.test(host) || host.startsWith("#")) {
    return { unusable: "no name of a host" };
  }
  return { entry: lower(host) };
}

/**
 * The line of control/virtualdomains for a virtual host: `virtual.com:virtual.com`, which has qmail-send make
 * sales@virtual.com into virtual.com-sales@virtual.com. With funky queries `%.virtual.com` is .virtual.com, which
 * means the same to qmail-send. A blank host would take the mail of every host in the world.
 */
export function virtualDomain(host: string, funkyQueries: boolean): Entry {
  const named = rcptHost(host);
  if ("unusable" in named) return named;
  if (/[:@]/.test(host)) return { unusable: "no name of a host" };
  const name = funkyQueries && host.startsWith("%.") ? named.entry.slice(1) : named.entry;
  if (funkyQueries && name.includes("%")) {
    return { unusable: "control/virtualdomains has no such pattern: add the hosts to virtualdomains.local" };
  }
  return { entry: `${name}:${name}` };
}
