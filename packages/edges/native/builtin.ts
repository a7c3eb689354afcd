/** node:fs, loaded at its first use. */
export function nodeFs(): typeof import("node:fs") {
  return process.getBuiltinModule("node:fs");
}

let handlesSigchld = false;

/** node:child_process, loaded at its first use, since most runs start no other program. */
export function childProcess(): typeof import("node:child_process") {
  // SIGCHLD may be inherited as ignored; the end of a child would then not be reported.
  if (!handlesSigchld) process.on("SIGCHLD", () => {});
  handlesSigchld = true;
  return process.getBuiltinModule("node:child_process");
}
