export { cdbHash } from "./hash.ts";
export { CdbError, type CdbReader, cdbReader } from "./reader.ts";
export { CdbTooBig, cdbWriter } from "./writer.ts";
