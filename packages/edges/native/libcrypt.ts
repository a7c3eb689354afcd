import { toBuffer } from "@qmail-mysql/wire";

// Debian's name, and Fedora's, whose libxcrypt left the old interface behind.
const LIBRARIES = ["libcrypt.so.1", "libcrypt.so.2"];

type NativeCrypt = (password: Buffer, setting: Buffer) => string;

let native: NativeCrypt | undefined | "none";

/**
 * crypt(3) of the system's C library: the hash of `password` as `setting` says, byte strings. Undefined when
 * it fails, or cannot be called: under Node, or where the runtime may make no code.
 */
export function libcrypt(password: string, setting: string): string | undefined {
  native ??= load() ?? "none";
  if (native === "none" || `${password}${setting}`.includes("\0")) return undefined;
  const hashed = native(toBuffer(`${password}\0`), toBuffer(`${setting}\0`));
  // crypt(3): NULL, or a token that begins with "*" and is no hash.
  return hashed === "" || hashed.startsWith("*") ? undefined : hashed;
}

function load(): NativeCrypt | undefined {
  if (process.versions.bun === undefined) return undefined;
  for (const library of LIBRARIES) {
    try {
      const { CString, dlopen, FFIType, ptr } = require("bun:ffi") as typeof import("bun:ffi");
      const { symbols } = dlopen(library, {
        crypt: { args: [FFIType.ptr, FFIType.ptr], returns: FFIType.ptr },
      });
      return (password, setting) => {
        const result = symbols.crypt(ptr(password), ptr(setting)) as import("bun:ffi").Pointer | null;
        return result ? new CString(result).toString() : "";
      };
    } catch {
      // the next one, or none
    }
  }
  return undefined;
}
