export { readControlFile } from "./control-file.ts";
export { adminControl, hasControl } from "./has-control.ts";
export { fileLines } from "./lines.ts";
export { offersApop, popTimeout } from "./pop-control.ts";
export { aliasUser, breakChar, qmailHome } from "./qmail-home.ts";
