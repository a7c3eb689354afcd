import { availableParallelism } from "node:os";
import { qmailHome, readControlFile } from "@qmail-mysql/control-files";
import { memoryLimit } from "@qmail-mysql/system";
import { parseSettings, type Settings } from "../settings.ts";

/** Reads control/popd-settings, which may be missing. Throws Trouble. */
export function readSettings(): Settings {
  const [memory, processors] = [memoryLimit(), availableParallelism()];
  const parse = (text: string, file: string) => parseSettings(text, file, memory, processors);
  return readControlFile(`${qmailHome()}/control/popd-settings`, parse, "");
}
