import { lower } from "@qmail-mysql/wire";

/** An entry for a list of hosts, or why there is none for a row. */
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
 * The line of control/virtualdomains for a virtual host: `virtual.com:virtual.com`, with which qmail-send rewrites
 * sales@virtual.com to virtual.com-sales@virtual.com. With funky queries `%.virtual.com` becomes .virtual.com, which
 * qmail-send matches in the same way. A blank host, which would match every host, is refused.
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
