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
const SHORTEST_CODE_BITS = 5

/**
 * The code as a binary tree: children of node n at [2n] and [2n + 1]; above 0 another node, below 0 the symbol
 * -value - 1. The root is node 0.
 */
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

const TREE = makeTree()

/** In a step: the string holds the end-of-string symbol, which it must not. */
const BAD = -1

/**
 * The tree, four bits at a time. The shortest code has five, so a step gives one symbol at most:
 * STEPS[16 * node + bits] = next node | (symbol + 1) << 8, or BAD.
 */
const STEPS = makeSteps()

function makeSteps(): Int32Array {
  const steps = new Int32Array(16 * CODE_BITS.length)
  for (let start = 0; start < CODE_BITS.length - 1; start++)
    for (let bits = 0; bits < 16; bits++) {
      let node = start
      let symbol = -1
      for (let bit = 3; bit >= 0; bit--) {
        const next = TREE[2 * node + ((bits >>> bit) & 1)]!
        if (next < 0) symbol = -next - 1
        node = Math.max(0, next)
      }
      steps[16 * start + bits] = symbol === END_OF_STRING ? BAD : node | ((symbol + 1) << 8)
    }
  return steps
}

/** RFC 7541 5.2: padding is at most seven bits, all ones; so a string may end at these nodes. */
const ENDS = makeEnds()

function makeEnds(): Uint8Array {
  const ends = new Uint8Array(CODE_BITS.length)
  for (let node = 0, bits = 0; bits <= 7; bits++) {
    ends[node] = 1
    node = TREE[2 * node + 1]!
  }
  return ends
}

/** Text of usual length is written here on its way to a string. */
const SCRATCH = Buffer.allocUnsafeSlow(1024)

/** The decoded octets as Latin-1 text. Throws an Error for padding that is not a short run of ones, and for EOS. */
export function readHuffman(bytes: Uint8Array, from: number, to: number): string {
  const most = Math.ceil(((to - from) * 8) / SHORTEST_CODE_BITS)
  const out = most <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafe(most)
  let length = 0
  let node = 0
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!
    const high = STEPS[16 * node + (byte >>> 4)]!
    if (high < 0) throw new Error('HPACK: end-of-string symbol inside a string')
    if (high > 0xff) out[length++] = (high >>> 8) - 1
    const low = STEPS[16 * (high & 0xff) + (byte & 15)]!
    if (low < 0) throw new Error('HPACK: end-of-string symbol inside a string')
    if (low > 0xff) out[length++] = (low >>> 8) - 1
    node = low & 0xff
  }
  if (ENDS[node] === 0) throw new Error('HPACK: bad padding of a Huffman string')
  return out.toString('latin1', 0, length)
}
