import { readAllWithin } from "@qmail-mysql/process";
import { reason, Trouble } from "@qmail-mysql/trouble";

const ADDRESS = 3; // the descriptor
const LIMIT = 1024; // bytes: qmail-smtpd takes 900
const TIMEOUT = 10_000; // milliseconds

/** The address that s/qmail's qmail-smtpd writes to descriptor 3, followed by three NULs. Throws Trouble. */
export async function readRecipient(): Promise<string> {
  let bytes: string;
  try {
    bytes = await readAllWithin(ADDRESS, LIMIT, TIMEOUT);
  } catch (error) {
    throw new Trouble(`unable to read descriptor ${ADDRESS}: ${reason(error)}`);
  }
  const end = bytes.indexOf("\0");
  if (end < 0 || bytes.length > LIMIT)
    throw new Trouble("unable to use descriptor 3: expected an address and a NUL");
  return bytes.slice(0, end);
}
