/**
 * A stored password that cannot be compared with anything: of no scheme known here, broken, or too dear.
 * Not a wrong password: whoever keeps the table can mend it. The message never quotes what is stored.
 */
export class Unverifiable extends Error {}
