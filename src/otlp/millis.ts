/** Whole milliseconds of a fixed64 of nanoseconds, given as two halves; exact. */
export const millis = (low: number, high: number): number =>
  // 2^32 ns are 4294 ms and 967,296 ns: of today's times both products are below 2^53.
  high * 4294 + Math.floor((high * 967_296 + low) / 1e6)
