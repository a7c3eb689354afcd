declare module "unix-crypt-td-js" {
  /** DES crypt(3) of at most eight bytes. */
  export default function unixCryptTD(password: readonly number[], salt: string): string;
}
