/** The texts of qmail (error_str.c), so that log lines are the same. */
const TEXTS: Readonly<Record<string, string>> = {
  E2BIG: "argument list too long",
  EACCES: "access denied",
  EADDRINUSE: "address already used",
  EADDRNOTAVAIL: "address not available",
  EAGAIN: "temporary failure",
  EBADF: "file descriptor not open",
  EBUSY: "device busy",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EDQUOT: "disk quota exceeded",
  EEXIST: "file already exists",
  EHOSTUNREACH: "host unreachable",
  EFBIG: "file too big",
  EINVAL: "invalid argument",
  EIO: "input/output error",
  EISDIR: "is a directory",
  ELOOP: "symbolic link loop",
  EMFILE: "process cannot open more files",
  ENAMETOOLONG: "file name too long",
  ENFILE: "system cannot open more files",
  ENOENT: "file does not exist",
  ENOEXEC: "exec format error",
  ENOMEM: "out of memory",
  ENOSPC: "out of disk space",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
  ENXIO: "device not configured",
  EPERM: "permission denied",
  EPIPE: "broken pipe",
  EPROTO: "protocol error",
  EROFS: "read-only file system",
  ESTALE: "stale NFS file handle",
  ETIMEDOUT: "timed out",
  ETXTBSY: "text busy",
};

/** Temporary errors: error_temp.c of qmail. */
const TEMPORARY: readonly string[] = [
  "EINTR",
  "ENOMEM",
  "ETXTBSY",
  "EIO",
  "ETIMEDOUT",
  "EAGAIN",
  "EDEADLK",
  "EBUSY",
  "EMFILE",
  "ENFILE",
  "EDQUOT",
  "ENOSPC",
  "ENETDOWN",
  "ENETUNREACH",
  "ENETRESET",
  "ECONNABORTED",
  "ECONNRESET",
  "ENOBUFS",
  "ECONNREFUSED",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ESTALE",
];

/** The errno name of an error; "" if it has none. */
export function errno(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "";
}

export function isTemporary(error: unknown): boolean {
  return TEMPORARY.includes(errno(error));
}

/** The text of an error in one line, that of qmail if there is one. */
export function reason(error: unknown): string {
  const text = TEXTS[errno(error)] ?? (error instanceof Error ? error.message : String(error));
  // A message from a server or a peer may contain line ends.
  return text.replace(/[\0-\x1f\x7f]+/g, " ").trim() || "unknown error";
}

/** An error with this errno name. */
export function errorOf(code: string): Error & { code: string } {
  return Object.assign(new Error(code), { code });
}
