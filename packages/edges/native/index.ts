export { childProcess } from "./child-process.ts";
export { errnoError } from "./errno-number.ts";
export { checkExecutable } from "./executable.ts";
export { closeQuietly, type Descriptors, openDescriptors } from "./fd-passing.ts";
export { closeFd, isFile, nodeFs, readWhole, type Status, status, writeSome } from "./files.ts";
export { libc } from "./libc.ts";
export { libcrypt } from "./libcrypt.ts";
export { byteString, cString, type Native, native, readWithin } from "./native.ts";
