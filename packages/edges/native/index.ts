export { childProcess } from "./child-process.ts";
export { errnoError } from "./errno-number.ts";
export { checkExecutable } from "./executable.ts";
export { closeQuietly, type Descriptors, openDescriptors } from "./fd-passing.ts";
export { closeFd, isFile, nodeFs, readWhole, type Status, status, writeSome } from "./files.ts";
<<<<<<< HEAD
=======
export { type Forking, openForking } from "./fork.ts";
export { libc } from "./libc.ts";
>>>>>>> 852f92a (qmail-lspawn: workers are forked, one for each delivery that waits for the disk)
export { libcrypt } from "./libcrypt.ts";
export { byteString, cString, type Libc, libc, type Native, native, readWithin } from "./native.ts";
export { pathSearch } from "./path-search.ts";
export { bun, isBun } from "./runtime.ts";
export { vector } from "./vector.ts";
