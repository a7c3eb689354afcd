import { type BlocklistSettings, type CheckBlocklists, checkBlocklists } from "@qmail-mysql/blocklist";
import { openResolver, systemServers } from "@qmail-mysql/resolver";

/** The lookups of blocklists, which may change from session to session. */
export function openBlocklists(): (settings: BlocklistSettings) => CheckBlocklists {
  const servers = systemServers(process.env.DNSCACHEIP, () => performance.now());
  const { lookUp } = openResolver({ servers });
  return (settings) => (client) => checkBlocklists(client, settings, lookUp);
}
