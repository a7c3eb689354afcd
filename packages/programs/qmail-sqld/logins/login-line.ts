/** An attempt to log in, and its result. */
export interface Attempt {
  readonly verdict: "accepted" | "refused" | "delayed" | "trouble";
  /** The service that the calling program names; "" if none. */
  readonly service: string;
  /** The port that the client connected to; "" if unknown. */
  readonly port: string;
  /** The client's address; undefined if no trusted program gave it. */
  readonly address: string | undefined;
  /** The uid that sent the question; undefined if unknown. */
  readonly uid: number | undefined;
  readonly login: string;
  readonly why: string;
}

export const SERVICES: Readonly<Record<string, string>> = {
  "25": "smtp",
  "110": "pop3",
  "143": "imap",
  "465": "submissions",
  "587": "submission",
  "993": "imaps",
  "995": "pop3s",
};

/** The service that the calling program names, else that of the port, else the port. */
export const serviceOf = ({ service, port }: Pick<Attempt, "service" | "port">): string =>
  service || (SERVICES[port] ?? (/^\d{1,5}$/.test(port) ? port : "-"));

/**
 * Returns the line for the login log: qmail-sqld(8). Values are escaped, so that a client cannot forge a field or a
 * line.
 */
export function loginLine({ verdict, service, port, address, uid, login, why }: Attempt): string {
  const values = {
    verdict,
    service: serviceOf({ service, port }),
    address: address ?? "-",
    uid: uid ?? "-",
    user: login,
    why,
  };
  return `login: ${Object.entries(values)
    .map(([key, value]) => `${key}=${word(`${value}`)}`)
    .join(" ")}`;
}

const MOST = 256; // bytes of a value before it is escaped

function word(value: string): string {
  const escaped = value
    .slice(0, MOST)
    .replace(/[^!-~]|[\\"=]/g, (char) =>
      char === " " ? "_" : `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
    );
  return escaped === "" ? "-" : escaped;
}
