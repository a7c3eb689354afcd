import { status } from "@qmail-mysql/native";
import { fromText } from "@qmail-mysql/wire";

/** Does the file control/`name` exist, as far as this process may see? */
export function hasControl(home: string, name: string): boolean {
  try {
    status(`${fromText(home)}/control/${name}`);
    return true;
  } catch {
    return false;
  }
}
