// Text that JSON takes as it is: copied four bytes at a time, and looked through on the way.

const ONES = 0x01010101
const SPACES = 0x20202020
const BACKSLASHES = 0x5c5c5c5c
const HIGH_BITS = 0x80808080
// With this bit turned round a quote becomes a space, a space a quote, and control characters stay below both: one
// comparison finds the two kinds.
const TURNED = 0x02020202
const FIRST_PLAIN = 0x21212121

/**
 * Copies `source[from, to)` to `target` at `at` and returns the offset behind it; -1 where something has to be escaped
 * (RFC 8259, chapter 7: quotes, backslashes, control characters), and rarely where nothing has. Then `target` has anything
 * there. It needs room for three bytes more.
 */
export function copyUnescaped(source: DataView, from: number, to: number, target: DataView, at: number): number {
  const length = to - from
  if (length < 4) {
    if (length === 0) return at
    if (to < 4) return -1
    // The four bytes that end with it, without those before it.
    const word = (source.getInt32(to - 4, true) >>> (32 - 8 * length)) | (SPACES << (8 * length))
    if ((special(word) & HIGH_BITS) !== 0) return -1
    target.setInt32(at, word, true)
    return at + length
  }
  let found = 0
  let q = at
  for (let p = from; p <= to - 4; p += 4, q += 4) {
    const word = source.getInt32(p, true)
    found |= special(word)
    target.setInt32(q, word, true)
  }
  // The last four, of which the first ones may be there already.
  const last = source.getInt32(to - 4, true)
  target.setInt32(at + length - 4, last, true)
  return ((found | special(last)) & HIGH_BITS) === 0 ? at + length : -1
}

/** The high bit of each byte that needs an escape; perhaps of others behind such a one. Its other bits say nothing. */
const special = (word: number): number => (((word ^ TURNED) - FIRST_PLAIN) | ((word ^ BACKSLASHES) - ONES)) & ~word
