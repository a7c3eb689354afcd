import { AssignError, assignCompiler } from "@qmail-mysql/assign";
import { cdbWriter } from "@qmail-mysql/cdb";
import { breakChar } from "@qmail-mysql/control-files";
import { homeOwner } from "@qmail-mysql/system";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { assignable } from "./assignable.ts";
import type { Context, Made } from "./context.ts";
import { generatedText } from "./edge/generated.ts";
import { handLines, sourceOf } from "./edge/sources.ts";
import { warnings } from "./warnings.ts";

/** users/assign and users/cdb: edited lines, then the mailboxes. Of equal names qmail-lspawn uses the first. */
export async function assign(context: Context): Promise<Made> {
  const { home, config, tables, progress } = context;
  const path = `${home}/users/assign`;
  const source = sourceOf(path);
  const text = context.open(path);
  const cdb = context.open(`${home}/users/cdb`);
  const out = generatedText(text);
  const writer = cdbWriter(cdb.write);
  const compiler = assignCompiler(writer);

  let hand = 0;
  let number = 0;
  for (const line of handLines(source)) {
    number++;
    if (line.startsWith(".")) break;
    if (line === "" || line.startsWith("#")) continue;
    try {
      compiler.line(line);
    } catch (error) {
      if (!(error instanceof AssignError)) throw error;
      throw new Trouble(`unable to use ${source.path}: line ${number}: ${error.message}`);
    }
    hand++;
    out.line(line);
  }

  const dash = breakChar();
  const decide = assignable({
    breakChar: dash,
    suspendedMail: config.suspendedMail,
    funkyQueries: config.funkyQueries,
    homeOwner: context.trustHomes ? undefined : ownerOf,
  });
  let last: string | undefined;
  await tables.eachVirtualHost((host) => {
    progress.row("users/assign: virtual hosts");
    if (host !== last) decide.virtualHost(host);
    last = host;
  });
  const wrong = warnings("mailbox", context.warn, "in users/assign");
  let rows = 0;
  await tables.eachMailbox((rowName, row) => {
    progress.row("users/assign");
    const lines = decide.mailbox(rowName, row);
    if ("why" in lines) return wrong.row(rowName, lines.why);
    const { name, extensions } = lines;
    const { username, uid, gid, home: directory } = lines.mailbox;
    const exact = `=${name}:${username}:${uid}:${gid}:${directory}:::`;
    const fields = `${username}\0${uid}\0${gid}\0${directory}\0`;
    compiler.record("=", name, `${fields}\0`);
    if (extensions) {
      const prefix = name + dash;
      out.line(`${exact}\n+${prefix}:${username}:${uid}:${gid}:${directory}:-::`);
      compiler.record("+", prefix, `${fields}-\0`);
    } else {
      out.line(exact);
    }
    rows++;
  });
  wrong.end();
  compiler.finish();
  // qmail-newu stops at the dot.
  out.line(".");
  out.finish(rows);
  cdb.begin(writer.finish());
  return { text, cdb, source, rows, hand };
}

/**
 * The owner of a home; a temporary error is trouble. A mailbox with a home that is not accessible to root gets no line,
 * but does not fail the rebuild.
 */
function ownerOf(home: string): ReturnType<typeof homeOwner> {
  try {
    return { ...homeOwner(home), hidden: false };
  } catch (error) {
    throw new Trouble(reason(error));
  }
}
