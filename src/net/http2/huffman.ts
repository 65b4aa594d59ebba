// The Huffman code of HPACK (RFC 7541 appendix B). It is canonical: shorter codes come first, and among codes of one
// length those of smaller symbols, so the lengths alone give the table.

// biome-ignore format: sixteen symbols a line
const CODE_BITS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30, // 256: end of string
] as const

const END_OF_STRING = 256

/**
 * The code as a binary tree: children of node n at [2n] and [2n + 1]; above 0 another node, below 0 the symbol
 * -value - 1. The root is node 0.
 */
const TREE: Int16Array = makeTree()

function makeTree(): Int16Array {
  const tree = new Int16Array(2 * CODE_BITS.length)
  let nodes = 1
  let code = 0
  let bits = 0
  const symbols = CODE_BITS.map((_, symbol) => symbol).sort((a, b) => CODE_BITS[a]! - CODE_BITS[b]! || a - b)
  for (const symbol of symbols) {
    code = (code << (CODE_BITS[symbol]! - bits)) >>> 0
    bits = CODE_BITS[symbol]!
    let node = 0
    for (let bit = bits - 1; bit > 0; bit--) {
      const at = 2 * node + ((code >>> bit) & 1)
      if (tree[at] === 0) tree[at] = nodes++
      node = tree[at]!
    }
    tree[2 * node + (code & 1)] = -symbol - 1
    code++
  }
  return tree
}

/** The decoded octets as Latin-1 text. Throws an Error for padding that is not a short run of ones, and for EOS. */
export function readHuffman(bytes: Uint8Array, from: number, to: number): string {
  let text = ''
  let node = 0
  let pending = 0
  let ones = true
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!
    for (let bit = 7; bit >= 0; bit--) {
      const one = (byte >>> bit) & 1
      const next = TREE[2 * node + one]!
      pending++
      if (one === 0) ones = false
      if (next > 0) {
        node = next
        continue
      }
      const symbol = -next - 1
      if (symbol === END_OF_STRING) throw new Error('HPACK: end-of-string symbol inside a string')
      text += String.fromCharCode(symbol)
      node = 0
      pending = 0
      ones = true
    }
  }
  // RFC 7541 5.2: padding is at most seven bits, all ones.
  if (pending > 7 || !ones) throw new Error('HPACK: bad padding of a Huffman string')
  return text
}
