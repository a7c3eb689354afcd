export { splitAddress } from "./address.ts";
export { base64, fromBase64 } from "./base64.ts";
export { byteString, fromText, isAscii, lower, nulEnded, nulFields, toBuffer, toText } from "./bytes.ts";
export { type Command, parseCommand } from "./command.ts";
export { formatIp, type Ip, ipOf, ipWords, parseIp } from "./ip.ts";
export { Garbage, netstring, netstringReader } from "./netstring.ts";
