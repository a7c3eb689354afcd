/** The events of qmail-spp, by the letter of their section. */
export type PluginEvent = "c" | "h" | "m" | "r" | "d" | "a" | "p";

export type Plugins = Readonly<Record<PluginEvent, readonly string[]>>;

/**
 * The plug-ins in the text of control/smtpplugins: a section begins with [ and the letter of its event; lines before the
 * first one are not used.
 */
export function parsePlugins(text: string): Plugins {
  const plugins: Record<PluginEvent, string[]> = { c: [], h: [], m: [], r: [], d: [], a: [], p: [] };
  let section: string[] | undefined;
  for (const raw of text.split("\n")) {
    const line = raw.replace(/[ \t]+$/, "");
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("[")) section = Object.entries(plugins).find(([letter]) => letter === line[1])?.[1];
    else section?.push(line);
  }
  return plugins;
}
