/** node:child_process, loaded at its first use: most runs start no other program, and need not pay for it. */
export function childProcess(): typeof import("node:child_process") {
  return process.getBuiltinModule("node:child_process");
}
