import { status } from "@qmail-mysql/native";
import { fromText } from "@qmail-mysql/wire";

/** Is there a file control/`name` that we can see? */
export function hasControl(home: string, name: string): boolean {
  try {
    status(`${fromText(home)}/control/${name}`);
    return true;
  } catch {
    return false;
  }
}
