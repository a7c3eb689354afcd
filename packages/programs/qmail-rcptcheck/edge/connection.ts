import type { CheckRecipient } from "@qmail-mysql/recipient";
import { Gone, linger, timedRead, timedWrite } from "@qmail-mysql/socket";
import { Garbage, netstring, netstringReader } from "@qmail-mysql/wire";
import { deliverableResponse, HEAD_LIMIT, isWholeHead } from "../deliverable.ts";
import { QUERY_LIMIT, socketmapReply } from "../socketmap.ts";

const [IN, OUT] = [0, 1];
const IDLE = 300_000; // milliseconds without a request, after which Postfix connects again
const TIMEOUT = 10_000; // milliseconds for the rest of a request, and for a client to read
const PIECE = 16_384; // bytes

/** Answers the requests of a connection on descriptors 0 and 1 in the protocol of socketmap_table(5). */
export async function serveSocketmap(check: CheckRecipient): Promise<void> {
  const reader = netstringReader(QUERY_LIMIT);
  await untilGone(async () => {
    for (;;) {
      const chunk = await receive(reader.held() > 0 ? TIMEOUT : IDLE);
      if (chunk === "") return;
      for (const request of reader.push(chunk)) {
        await timedWrite(OUT, netstring(await socketmapReply(request, check)), TIMEOUT);
      }
    }
  });
}

/** Answers one request over HTTP, as qmail-deliverabled does. */
export async function serveDeliverable(check: CheckRecipient): Promise<void> {
  await untilGone(async () => {
    let head = "";
    while (!isWholeHead(head) && head.length <= HEAD_LIMIT) {
      const chunk = await receive(TIMEOUT);
      if (chunk === "") return;
      head += chunk;
    }
    await timedWrite(OUT, await deliverableResponse(head, check), TIMEOUT);
    await linger(IN);
  });
}

async function receive(ms: number): Promise<string> {
  const piece = Buffer.alloc(PIECE);
  const n = await timedRead(IN, piece, ms);
  return piece.toString("latin1", 0, n);
}

/** What is no request, and a client that has gone, end the connection. */
async function untilGone(serve: () => Promise<void>): Promise<void> {
  try {
    await serve();
  } catch (error) {
    if (!(error instanceof Gone || error instanceof Garbage)) throw error;
  }
}
