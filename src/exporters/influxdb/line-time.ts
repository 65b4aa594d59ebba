// The time of a line: nanoseconds of a fixed64, in halves, as digits of a coarser unit. Exact, and without BigInt.

/** Nanoseconds in a unit of time, by its name in the file. */
export const UNIT_NANOS = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 } as const
export type Precision = keyof typeof UNIT_NANOS

// 2^32 ns = 4294 ms and 967296 ns.
const HIGH_MS = 4294
const HIGH_REST_NANOS = 967_296

/** Writes it at `at` and returns where it ends: at most 20 bytes. What is finer than the unit is cut off. */
export function writeTime(bytes: Uint8Array, at: number, high: number, low: number, unitNanos: number): number {
  const rest = high * HIGH_REST_NANOS + low
  const restMs = Math.floor(rest / 1e6)
  const ms = high * HIGH_MS + restMs
  if (unitNanos === 1e9) return writeDigits(bytes, at, Math.floor(ms / 1000))
  if (unitNanos === 1e6) return writeDigits(bytes, at, ms)
  const nanos = rest - restMs * 1e6
  const end = ms === 0 ? at : writeDigits(bytes, at, ms)
  const below = unitNanos === 1e3 ? Math.floor(nanos / 1e3) : nanos
  if (ms === 0) return writeDigits(bytes, end, below)
  return writePadded(bytes, end, below, unitNanos === 1e3 ? 3 : 6)
}

function writeDigits(bytes: Uint8Array, at: number, value: number): number {
  let digits = 1
  for (let bound = 10; value >= bound; bound *= 10) digits++
  return writePadded(bytes, at, value, digits)
}

function writePadded(bytes: Uint8Array, at: number, value: number, digits: number): number {
  let rest = value
  for (let i = at + digits - 1; i >= at; i--) {
    const next = Math.floor(rest / 10)
    bytes[i] = 48 + rest - next * 10
    rest = next
  }
  return at + digits
}
