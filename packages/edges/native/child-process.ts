let heeds = false;

/** node:child_process, loaded at its first use: most runs start no other program, and need not pay for it. */
export function childProcess(): typeof import("node:child_process") {
  // Who started us may have ignored it, and then no child's end is ever told.
  if (!heeds) process.on("SIGCHLD", () => {});
  heeds = true;
  return process.getBuiltinModule("node:child_process");
}
