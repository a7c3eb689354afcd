const MOST = 20; // individual warnings about one table

/** Prints warnings about rows, limited in number. */
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
