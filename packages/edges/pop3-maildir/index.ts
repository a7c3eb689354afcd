export { sha256 } from "./digest.ts";
export { maildirAt } from "./maildir.ts";
