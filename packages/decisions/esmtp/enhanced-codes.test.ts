import { expect, test } from "vitest";
import { enhanced } from "./enhanced-codes.ts";

// RFC 2034: the class of the status is that of the reply; 3xx has none
test.each([
  ["250 ok", "250 2.0.0 ok"],
  ["354 go ahead", "354 go ahead"],
  ["553 sorry, not here (#5.7.1)", "553 5.7.1 sorry, not here"],
  ["451 qq trouble (#4.3.0)", "451 4.3.0 qq trouble"],
  ["451 odd (#5.3.0)", "451 4.0.0 odd (#5.3.0)"],
  ["550 5.1.1 of a plug-in", "550 5.1.1 of a plug-in"],
  ["221 mx.example", "221 2.0.0 mx.example"],
])("%s", (reply, expected) => expect(enhanced(reply)).toBe(expected));
