import { Trouble } from "@qmail-mysql/trouble";
import { bun } from "./runtime.ts";

export type CType = "i32" | "ptr";
/** A view stands for its address, null for NULL. */
export type Argument = number | ArrayBufferView | null;
export type Entry = (...args: Argument[]) => number;

interface Ffi {
  dlopen(
    library: string,
    symbols: Readonly<Record<string, { args: readonly CType[]; returns: CType }>>,
  ): { readonly symbols?: Readonly<Record<string, (...args: number[]) => number>> };
  ptr(view: ArrayBufferView): number;
  readonly read: {
    i32(pointer: number, offset: number): number;
    u8(pointer: number, offset: number): number;
  };
}

/** Functions of C libraries. */
export interface Libraries {
  /** Throws Trouble when the library has none of the name, or the runtime no room for the code that calls it. */
  open(library: string, name: string, args: readonly CType[], returns: CType): Entry;
  /** The address of a view's bytes, good for as long as the view is kept. */
  address(view: ArrayBufferView): number;
  readInt(pointer: number): number;
  /** The bytes before a NUL, as a byte string. */
  readString(pointer: number): string;
}

/**
 * The runtime's entrance to C: the one below bun:ffi, which takes a program of two milliseconds longer to load
 * than all it does (bench/PROFILE.md). The runtime compiles each function that is opened. Undefined under Node.
 */
export function libraries(): Libraries | undefined {
  const ffi = bun<{ readonly FFI?: Ffi }>()?.FFI;
  if (!ffi) return undefined;
  const value = (arg: Argument): number => (typeof arg === "number" ? arg : arg === null ? 0 : ffi.ptr(arg));
  return {
    open(library, name, args, returns) {
      const { symbols } = ffi.dlopen(library, { [name]: { args, returns } });
      const entry = symbols?.[name]; // what it cannot do it may return as an Error
      if (entry) return (...values) => entry(...values.map(value));
      throw new Trouble("unable to call the C library: the limit on address space is too low");
    },
    address: (view) => ffi.ptr(view),
    readInt: (pointer) => ffi.read.i32(pointer, 0),
    readString(pointer) {
      let text = "";
      for (let at = 0; ; at++) {
        const byte = ffi.read.u8(pointer, at);
        if (byte === 0) return text;
        text += String.fromCharCode(byte);
      }
    },
  };
}
