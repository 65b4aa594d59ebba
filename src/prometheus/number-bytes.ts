// Numbers as they stand in an exposition, written as bytes: the same digits as in number-text.ts, without a text for each.

/** What the longest number takes. */
export const NUMBER_MAX_BYTES = 32

const ZERO = 0x30
const MINUS = 0x2d
const POINT = 0x2e
const INT32_END = 2 ** 31

/** A sample's value, as valueText() has it. Returns the offset behind it. */
export function writeValue(bytes: Buffer, at: number, value: number): number {
  const size = Math.abs(value)
  if (size <= Number.MAX_SAFE_INTEGER && (value !== 0 || 1 / value > 0)) {
    const whole = Math.floor(size)
    // A double keeps 15 digits (IEEE 754): no other number that short has the same double, so these digits are the shortest.
    const thousands = Math.round(size * 1000)
    const isShort = whole === size || (size < INT32_END && thousands / 1000 === size)
    if (isShort) {
      let p = at
      if (value < 0) bytes[p++] = MINUS
      p = writeDigits(bytes, p, whole)
      return whole === size ? p : writeThousandths(bytes, p, thousands - whole * 1000)
    }
  }
  if (!Number.isFinite(value)) return write(bytes, at, Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf')
  return write(bytes, at, value === 0 ? '-0' : String(value))
}

/** A sample's value in OpenMetrics, where floats look like floats: as openMetricsValueText() has it. */
export function writeOpenMetricsValue(bytes: Buffer, at: number, value: number): number {
  const end = writeValue(bytes, at, value)
  if (!Number.isInteger(value) || Math.abs(value) >= 1e21) return end
  bytes[end] = POINT
  bytes[end + 1] = ZERO
  return end + 2
}

const write = (bytes: Buffer, at: number, text: string): number => at + bytes.write(text, at, 'latin1')

/** `value` is a whole number from 0 to 2^53. */
function writeDigits(bytes: Uint8Array, at: number, value: number): number {
  if (value < INT32_END) return writeInt32(bytes, at, value)
  const billions = Math.floor(value / 1e9)
  const end = writeInt32(bytes, at, billions) + 9
  fillDigits(bytes, end - 9, end, value - billions * 1e9)
  return end
}

function writeInt32(bytes: Uint8Array, at: number, value: number): number {
  let end = at + 1
  for (let limit = 10; limit <= value; limit *= 10) end++
  fillDigits(bytes, at, end, value)
  return end
}

function fillDigits(bytes: Uint8Array, at: number, end: number, value: number): void {
  let rest = value | 0
  for (let p = end - 1; p >= at; p--) {
    const tens = (rest / 10) | 0
    bytes[p] = ZERO + rest - tens * 10
    rest = tens
  }
}

/** A point and up to three digits, zeros at the end left out; `thousandths` is from 1 to 999. */
function writeThousandths(bytes: Uint8Array, at: number, thousandths: number): number {
  const tenths = (thousandths / 100) | 0
  const hundredths = ((thousandths / 10) | 0) - tenths * 10
  const last = thousandths - tenths * 100 - hundredths * 10
  bytes[at] = POINT
  bytes[at + 1] = ZERO + tenths
  bytes[at + 2] = ZERO + hundredths
  bytes[at + 3] = ZERO + last
  return last > 0 ? at + 4 : hundredths > 0 ? at + 3 : at + 2
}
