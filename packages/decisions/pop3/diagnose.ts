/** The properties of a path, as visible to the user. */
export interface Seen {
  /** Why stat(2) failed; the other properties are then not valid. */
  readonly failure?: "ENOENT" | "EACCES" | "ENOTDIR" | string;
  readonly isDirectory: boolean;
  /** The target, if it is a symbolic link. */
  readonly link?: string;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  /** access(2) for this user. */
  readonly may: { readonly read: boolean; readonly write: boolean; readonly search: boolean };
}

export type Inspect = (path: string) => Seen;

/**
 * Everything that prevents qmail-pop3d and qmail-local from using the Maildir at the absolute `path`, one line each. If
 * a directory above it is not usable, this is the only line, since nothing below it is visible.
 */
export function diagnose(path: string, uid: number, inspect: Inspect): string[] {
  const above = directoriesAbove(path).flatMap((dir) => whyNotPassable(dir, uid, inspect(dir)));
  if (above.length > 0) return above.slice(0, 1);
  const maildir = directory(path, uid, inspect(path));
  if (maildir.stop) return maildir.lines;
  return [
    ...maildir.lines,
    ...["cur", "new", "tmp"].flatMap(
      (sub) => directory(`${path}/${sub}`, uid, inspect(`${path}/${sub}`)).lines,
    ),
  ];
}

/** The directories above a path: "/", "/home", "/home/joe" for "/home/joe/Maildir". */
function directoriesAbove(path: string): string[] {
  const parts = path.split("/").slice(1, -1);
  return ["/", ...parts.map((_, i) => `/${parts.slice(0, i + 1).join("/")}`)];
}

function whyNotPassable(dir: string, uid: number, seen: Seen): string[] {
  if (seen.failure !== undefined) return [failed(dir, seen)];
  if (!seen.isDirectory) return [`${dir} is not a directory`];
  return seen.may.search ? [] : [`${dir} is not searchable by uid ${uid}: it is ${described(seen)}`];
}

function directory(dir: string, uid: number, seen: Seen): { lines: string[]; stop: boolean } {
  if (seen.failure !== undefined) return { lines: [failed(dir, seen)], stop: true };
  if (!seen.isDirectory) return { lines: [`${dir} is not a directory`], stop: true };
  const lines = [];
  if (seen.uid !== uid) lines.push(`${dir} is owned by uid ${seen.uid}, not by uid ${uid}`);
  const { read, write, search } = seen.may;
  const cannot = [!read && "readable", !write && "writable", !search && "searchable"].filter(Boolean);
  if (cannot.length > 0) {
    lines.push(`${dir} is not ${cannot.join(", not ")} by uid ${uid}: it is ${described(seen)}`);
  }
  return { lines, stop: !search };
}

const described = ({ uid, gid, mode }: Seen) =>
  `owned by uid ${uid} gid ${gid}, mode ${mode.toString(8).padStart(4, "0")}`;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EACCES: "cannot be reached: access denied",
  ELOOP: "cannot be reached: symbolic link loop",
};

function failed(path: string, { failure = "", link }: Seen): string {
  const why = REASONS[failure] ?? `cannot be reached: ${failure}`;
  return link === undefined ? `${path} ${why}` : `${path} is a symbolic link to ${link}, which ${why}`;
}
