/**
 * A stored password that cannot be compared with anything: of no scheme known here, damaged, or too expensive.
 * Not a wrong password: the administrator can mend it. The message never quotes what is stored.
 */
export class Unverifiable extends Error {}
