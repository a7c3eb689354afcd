export { type Crypt, verifyCrypt } from "./crypt.ts";
export * from "./unverifiable.ts";
export * from "./verify.ts";
