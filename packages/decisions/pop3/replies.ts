/** As in qmail, the space is sent even without a text. */
export const ok = (text = ""): string => `+OK ${text}\r\n`;
export const err = (text: string): string => `-ERR ${text}\r\n`;

export const TOO_LONG_REPLY = err("line too long");

/**
 * CAPA (RFC 2449), the same in both states. EXPIRE is not included because it depends on the policy of the site;
 * SASL and STLS are not supported. AUTH-RESP-CODE: RFC 3206 §5.
 */
export const CAPABILITIES = `${ok()}TOP\r\nUIDL\r\nUSER\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nIMPLEMENTATION qmail-mysql\r\n.\r\n`;
