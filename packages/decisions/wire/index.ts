export { splitAddress } from "./address.ts";
export { fromText, isAscii, toBuffer, toText } from "./bytes.ts";
export { nulEnded, nulFields } from "./fields.ts";
export { formatIp, type Ip, ipOf, ipWords, parseIp } from "./ip.ts";
export { lower } from "./lower.ts";
export { Garbage, netstring, netstringReader } from "./netstring.ts";
