export { childProcess, nodeFs } from "./builtin.ts";
export { errnoError } from "./errno-number.ts";
export { checkExecutable } from "./executable.ts";
export { closeQuietly, type Descriptors, openDescriptors, type Packet } from "./fd-passing.ts";
export {
  closeFd,
  isFile,
  openToRead,
  readWhole,
  type Status,
  status,
  type Versions,
  versionsOf,
  writeSome,
} from "./files.ts";
export { type Forking, openForking } from "./fork.ts";
export { libcrypt } from "./libcrypt.ts";
export { cString, type Libc, libc, type Native, native, readWithin } from "./native.ts";
export { pathSearch } from "./path-search.ts";
export { bun, isBun } from "./runtime.ts";
export * from "./socket-constants.ts";
export { awaitChild, type Spawned, spawn } from "./spawn.ts";
export { vector } from "./vector.ts";
