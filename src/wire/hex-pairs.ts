// Bytes as hexadecimal digits, two at a time, from a table.

const DIGITS = '0123456789abcdef'

/** By byte: its two digits, in the order in which they are written. */
export const HEX_PAIRS = new Uint16Array(256)
for (let byte = 0; byte < 256; byte++)
  HEX_PAIRS[byte] = DIGITS.charCodeAt(byte >> 4) | (DIGITS.charCodeAt(byte & 15) << 8)
