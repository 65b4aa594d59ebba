// Characters, digits and encodings inside JSON strings.

export const CHAR = {
  QUOTE: 0x22,
  BACKSLASH: 0x5c,
  OPEN_BRACE: 0x7b,
  CLOSE_BRACE: 0x7d,
  OPEN_BRACKET: 0x5b,
  CLOSE_BRACKET: 0x5d,
  COLON: 0x3a,
  COMMA: 0x2c,
  MINUS: 0x2d,
  PLUS: 0x2b,
  DOT: 0x2e,
  ZERO: 0x30,
} as const

/** 10^0 to 10^22: the powers of ten that are exact doubles. */
export const POWERS_OF_TEN: readonly number[] = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))

const HEX = new Int8Array(256).fill(-1)
for (let digit = 0; digit < 16; digit++) {
  HEX['0123456789abcdef'.charCodeAt(digit)] = digit
  HEX['0123456789ABCDEF'.charCodeAt(digit)] = digit
}

/** Value of a hexadecimal digit; -1 for any other character. */
export const readHexDigit = (char: number): number => HEX[char]!

const BASE64 = new Int8Array(256).fill(-1)
for (let digit = 0; digit < 64; digit++) {
  BASE64['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.charCodeAt(digit)] = digit
  BASE64['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.charCodeAt(digit)] = digit
}

/**
 * Decodes the base64 text in `bytes[from, to)` in place and returns the new end, or -1 where it is not base64.
 * Both alphabets, with or without padding.
 */
export function readBase64(bytes: Uint8Array, from: number, to: number): number {
  let end = to
  const padded = end > from && bytes[end - 1] === 0x3d
  if (padded && (end - from) % 4 !== 0) return -1
  while (end > from && end > to - 2 && bytes[end - 1] === 0x3d) end--
  if ((end - from) % 4 === 1) return -1
  let target = from
  let bits = 0
  let held = 0
  for (let p = from; p < end; p++) {
    const digit = BASE64[bytes[p]!]!
    if (digit < 0) return -1
    bits = ((bits << 6) | digit) & 0xffff
    held += 6
    if (held >= 8) {
      held -= 8
      bytes[target++] = (bits >> held) & 0xff
    }
  }
  return target
}

/** A double in quotes, as Go reads it: decimal, or NaN, Inf, Infinity in any case. Undefined where it is none. */
export function parseQuotedDouble(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const value = Number(text)
    return Number.isFinite(value) ? value : undefined
  }
  if (/^nan$/i.test(text)) return Number.NaN
  if (!/^[+-]?inf(inity)?$/i.test(text)) return undefined
  return text.startsWith('-') ? -Infinity : Infinity
}
