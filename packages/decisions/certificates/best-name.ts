/**
 * Which of the names that there are certificates for serves a client that wants `name`: the same, else `*.` and the rest
 * after the first label (RFC 6125, section 6.4.3), else "", which is the default. Undefined if there is none.
 */
export function bestName(name: string, has: (name: string) => boolean): string | undefined {
  const dot = name.indexOf(".");
  const names = [name, ...(dot > 0 ? [`*${name.slice(dot)}`] : []), ""];
  return names.find(has);
}
