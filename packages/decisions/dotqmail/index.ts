export { aliasInstruction } from "./alias.ts";
export { deliveryEnvironment } from "./delivery-environment.ts";
export { describe, type Instruction, instructions } from "./instructions.ts";
export { deliveredTo, mboxFrom, returnPath } from "./lines.ts";
export { headerHolds } from "./loop.ts";
export { mboxQuoted } from "./mbox.ts";
export { newSender } from "./new-sender.ts";
export { candidates } from "./search.ts";
