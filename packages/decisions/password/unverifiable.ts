/**
 * A stored password that cannot be compared: of an unknown scheme, damaged, or too expensive. It is not a wrong
 * password, but an error that the administrator has to correct. The message never quotes what is stored.
 */
export class Unverifiable extends Error {}
