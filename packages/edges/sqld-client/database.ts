import { type Database, ROWS, type Row } from "@qmail-mysql/database";
import { Trouble } from "@qmail-mysql/trouble";
import { fromText } from "@qmail-mysql/wire";
import { GRACE, type Sqld } from "./protocol.ts";
import { isSocketQuestion, type SocketQuestion, socketColumns, socketQuestions } from "./questions.ts";

/** The questions over qmail-sqld, whose database has `timeout` seconds for each. Those not in its protocol are trouble. */
export function sqldDatabase(sqld: Sqld, timeout: number): Pick<Database, "ask" | "close"> {
  return {
    async ask(question, values) {
      if (!isSocketQuestion(question)) {
        throw new Trouble(`unable to query through qmail-sqld: its protocol has no question ${question}`);
      }
      const { fields }: SocketQuestion = socketQuestions[question];
      const found: Row[] = [];
      for (const each of fields(values.map(fromText))) {
        const answer = await sqld.ask(question, each, timeout + GRACE);
        found.push(...toRows(answer ?? [], socketColumns(question)));
      }
      return found;
    },
    close: async () => sqld.close(),
  };
}

function toRows(fields: readonly string[], columns: readonly string[]): Row[] {
  if (fields.length % columns.length !== 0)
    throw new Trouble("unable to use qmail-sqld's answer: wrong width");
  if (fields.length >= ROWS * columns.length)
    throw new Trouble("unable to use qmail-sqld's answer: too many rows");
  const rows: Row[] = [];
  for (let at = 0; at < fields.length; at += columns.length) {
    const row: Record<string, string> = {};
    columns.forEach((column, i) => {
      row[column] = fields[at + i] ?? "";
    });
    rows.push(row);
  }
  return rows;
}
