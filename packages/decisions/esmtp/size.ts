import { type Extension, TOO_BIG } from "@qmail-mysql/smtp";
import { parameter } from "./parameters.ts";

/** SIZE (RFC 1870): the limit of control/databytes is announced, and a message that is announced as larger is refused. */
export const size: Extension = {
  keywords: ({ dataBytes }) => [`SIZE ${dataBytes}`],
  atMail({ dataBytes }, { arg }) {
    const announced = Number(parameter(arg, "size") ?? 0);
    return dataBytes > 0 && announced > dataBytes ? TOO_BIG : undefined;
  },
};
