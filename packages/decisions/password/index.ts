export { verifyCrypt } from "./crypt.ts";
export { Unverifiable } from "./unverifiable.ts";
export { verify } from "./verify.ts";
