import {
  type Answer,
  COMMANDS,
  closeQueue,
  countByte,
  End,
  type Extension,
  type Hops,
  MAIL_FIRST,
  NO_QUEUE,
  newHops,
  OK,
  type Outgoing,
  openQueue,
  put,
  RCPT_FIRST,
  receive,
  refusalOf,
  type Session,
} from "@qmail-mysql/smtp";

const NUL = 0;
const LF = 0x0a;
const CR = 0x0d;

const CHUNKS_FIRST = "503 BDAT LAST first (#5.5.1)";
const NO_COUNT = "521 syntax error in BDAT (#5.5.4)"; // what follows cannot be distinguished from commands

/** A message of which chunks were received. */
interface Chunks {
  readonly outgoing: Outgoing;
  readonly hops: Hops;
  /** The last byte was a CR, which is not passed on yet. */
  hasCr: boolean;
}

/** CHUNKING (RFC 3030) without BINARYMIME: BDAT. */
export function chunking(): Extension {
  let chunks: Chunks | undefined;
  const abandon = () => {
    chunks?.outgoing.queue.abandon();
    chunks = undefined;
  };
  function* bdat(session: Session, arg: string): Answer {
    const [, digits, last] = /^(\d{1,15})( +LAST)? *$/i.exec(arg) ?? [];
    if (digits === undefined) throw new End(1, NO_COUNT);
    const { transaction } = session;
    let reply: string | undefined;
    if (!chunks) reply = yield* begin(session, transaction);
    yield* takeChunk(session, Number(digits), chunks);
    if (reply !== undefined) return reply;
    if (!chunks || last === undefined) return OK;
    const { outgoing, hops, hasCr } = chunks;
    if (hasCr) outgoing.hasStray = session.settings.refusesStray;
    const closing = yield* closeQueue(session, outgoing, hops);
    chunks = undefined;
    return closing;
  }
  function* begin(session: Session, transaction: Session["transaction"]): Answer {
    if (!transaction) return MAIL_FIRST;
    if (transaction.recipients.length === 0) return RCPT_FIRST;
    const refusal = yield* refusalOf(session, "atData");
    if (refusal !== undefined) return refusal;
    const outgoing = yield* openQueue(session, transaction);
    if (!outgoing) return NO_QUEUE;
    chunks = { outgoing, hops: newHops(), hasCr: false };
    return undefined;
  }
  return {
    keywords: () => ["CHUNKING"],
    commands: {
      bdat,
      rset(session, arg, isCut) {
        abandon();
        return COMMANDS.rset?.(session, arg, isCut) ?? OK;
      },
    },
    atCommand(_, verb) {
      return chunks && ["mail", "rcpt", "data"].includes(verb) ? CHUNKS_FIRST : undefined;
    },
    atHelo() {
      abandon();
      return undefined;
    },
    atEnd: abandon,
  };
}

/** Takes the bytes of a chunk; without a message they are discarded. */
function* takeChunk(session: Session, length: number, chunks: Chunks | undefined) {
  for (let left = length; left > 0; ) {
    const input = yield* receive(session);
    const part = input.subarray(0, left);
    session.input = input.subarray(part.length);
    left -= part.length;
    if (chunks) yield* put(session, chunks.outgoing, decoded(session, chunks, part));
  }
}

/** The chunk with LF as line end. An LF without CR is one, too: in a chunk it cannot end the message. */
function decoded({ settings }: Session, chunks: Chunks, part: Uint8Array): Uint8Array {
  const { outgoing, hops } = chunks;
  const out = new Uint8Array(part.length + 1);
  let n = 0;
  const stray = () => {
    outgoing.hasStray ||= settings.refusesStray;
  };
  for (const byte of part) {
    if (hops.isInHeader) countByte(hops, byte);
    if (byte === NUL) stray();
    if (chunks.hasCr && byte !== LF) {
      stray();
      out[n++] = CR;
    }
    chunks.hasCr = byte === CR;
    if (byte !== CR) out[n++] = byte;
  }
  return out.subarray(0, n);
}
