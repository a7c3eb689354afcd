/** Reasons in qmail's words (error_str.c), so that logs read alike. */
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

/** Conditions that may pass by themselves: error_temp.c of qmail. */
const TEMPORARY = new Set([
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
]);

/** The errno name an error carries, "" when it has none. */
export function errno(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "";
}

export function isTemporary(error: unknown): boolean {
  return TEMPORARY.has(errno(error));
}

/** Why it failed, in one line and in qmail's words where it has words. */
export function reason(error: unknown): string {
  const text = TEXTS[errno(error)] ?? (error instanceof Error ? error.message : String(error));
  // Whatever a server or a peer says stays one line.
  return text.replace(/[\0-\x1f\x7f]+/g, " ").trim() || "unknown error";
}

/** An error with the name of an errno. */
export function errorOf(code: string): Error & { code: string } {
  return Object.assign(new Error(code), { code });
}
