import { type BlockingSocket, connectBlocking, ownerOfSocket } from "@qmail-mysql/socket";
import { reason } from "@qmail-mysql/trouble";
import { netstringReader } from "@qmail-mysql/wire";
import { ANSWER_LIMIT, checkListener, fieldsOf, questionOf, type Sqld, trouble } from "./protocol.ts";

/**
 * Connects at once and waits for each response with blocking calls: the threads of an event loop would take longer than
 * the response. Undefined if the runtime does not support it. Throws Trouble.
 */
export function sqldAtOnce(path: string, seconds: number): Sqld | undefined {
  const attempt = <T>(call: () => T): T => {
    try {
      return call();
    } catch (error) {
      throw trouble(path, reason(error));
    }
  };
  const socket = attempt(() => {
    const owner = ownerOfSocket(path);
    const connected = connectBlocking(path, seconds);
    if (connected) checkListener(connected.listener, owner);
    return connected;
  });
  if (!socket) return undefined;
  const reader = netstringReader(ANSWER_LIMIT);
  const answer = (socket: BlockingSocket, seconds: number): string => {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const chunk = attempt(() => socket.receive(end - performance.now()));
      if (chunk === "") throw trouble(path, "it closed the connection");
      const [payload] = attempt(() => reader.push(chunk));
      if (payload !== undefined) return payload;
    }
  };
  return {
    async ask(question, fields, seconds) {
      const bytes = questionOf(path, question, fields);
      attempt(() => socket.send(bytes));
      return fieldsOf(path, answer(socket, seconds));
    },
    close: () => socket.close(),
  };
}
