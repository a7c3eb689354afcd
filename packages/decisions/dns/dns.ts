/** A mail exchanger: RFC 5321, 5.1. */
export interface Exchanger {
  readonly preference: number;
  readonly host: string;
}

/** What a record of each type contains. */
export interface Records {
  readonly A: string;
  readonly AAAA: string;
  readonly PTR: string;
  readonly MX: Exchanger;
  /** The strings of one record, as byte strings. */
  readonly TXT: readonly string[];
}
export type RecordType = keyof Records;

/**
 * Port: the records of a name, after CNAMEs; none if the name or the type does not exist. Throws Trouble if that cannot
 * be known: no server responds in time, SERVFAIL, an invalid response. Names are as in `formatName`.
 */
export type LookUp = <T extends RecordType>(name: string, type: T) => Promise<readonly Records[T][]>;

/** Port: lookups in DNS. */
export interface Dns {
  readonly lookUp: LookUp;
  /** The names of an address. */
  readonly namesOf: (ip: string) => Promise<readonly string[]>;
}
