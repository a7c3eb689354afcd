const MOST = 20; // warnings about one table that are said one by one

/** Says what is wrong with rows, but not a million times. */
export function warnings(table: string, warn: (line: string) => void, place = "used") {
  let count = 0;
  return {
    row(row: string, why: string): void {
      if (++count <= MOST) warn(`MySQL misconfiguration: ${table} row "${row}" is not ${place}: ${why}`);
    },
    end(): void {
      if (count > MOST)
        warn(`MySQL misconfiguration: ${count - MOST} more rows of ${table} are not ${place}`);
    },
  };
}
