import { ownsSender, type SenderPorts } from "@qmail-mysql/sender";
import { found, InvalidQuestion, NONE, type Special } from "../answer.ts";

/** Answers `ownsSender login sender`: found, without fields, if the login may send mail with this envelope sender. */
export function senderQuestion(ports: SenderPorts): Special {
  return async (fields) => {
    const [login, sender] = fields;
    if (fields.length !== 2 || login === undefined || sender === undefined) {
      throw new InvalidQuestion("unable to answer ownsSender: a wrong number of fields");
    }
    return (await ownsSender(login, sender, ports)) ? found([]) : NONE;
  };
}
