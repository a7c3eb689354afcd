// The part of bun:ffi that this project uses; the rest of Bun's types would shadow Node's.
declare module "bun:ffi" {
  export type Pointer = number & { readonly pointer: unique symbol };
  export const FFIType: { readonly ptr: 12; readonly cstring: 14; readonly i32: 5 };
  export function ptr(view: ArrayBufferView): Pointer;
  export const read: { i32(pointer: Pointer, offset: number): number };
  export function dlopen<const S extends Record<string, { args: readonly number[]; returns: number }>>(
    library: string,
    symbols: S,
  ): { readonly symbols: { readonly [K in keyof S]: (...args: (Pointer | number | null)[]) => unknown } };
  export class CString extends String {
    constructor(pointer: Pointer);
  }
}
