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

/**
 * The path of control/`name`-admin if it exists, else of control/`name`: the administrator's own settings, since the
 * database account of the mail programs may have SELECT only.
 */
export function adminControl(home: string, name: string): string {
  return `${home}/control/${hasControl(home, `${name}-admin`) ? `${name}-admin` : name}`;
}
