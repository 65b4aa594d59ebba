// HPACK as RFC 7541 wants it: the examples of its appendix C with the tables that they leave, every representation, and what
// must be refused. Octets are written in hexadecimal.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HpackDecoder, HpackError } from '../../src/net/http2/hpack.ts'

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex')

function decode(decoder: HpackDecoder, octets: string): string[] {
  const out: string[] = []
  const bytes = hex(octets)
  decoder.decode(bytes, 0, bytes.length, (name, value) => out.push(`${name}: ${value}`))
  return out
}

/** The dynamic table, newest entry first. */
function table(decoder: HpackDecoder): string[] {
  const entries: string[] = []
  for (let index = 62; ; index++)
    try {
      entries.push(...decode(decoder, (0x80 | index).toString(16)))
    } catch (error) {
      assert.ok(error instanceof HpackError)
      return entries
    }
}

interface Example {
  readonly section: string
  /** Ahead of the first block: the table that the example begins with. */
  readonly begin?: string
  readonly blocks: readonly (readonly [octets: string, headers: readonly string[], table: readonly string[]])[]
}

const AUTHORITY = ':authority: www.example.com'
const REQUESTS = [
  [':method: GET', ':scheme: http', ':path: /', AUTHORITY],
  [':method: GET', ':scheme: http', ':path: /', AUTHORITY, 'cache-control: no-cache'],
  [':method: GET', ':scheme: https', ':path: /index.html', AUTHORITY, 'custom-key: custom-value'],
] as const
const REQUEST_TABLES = [
  [AUTHORITY],
  ['cache-control: no-cache', AUTHORITY],
  ['custom-key: custom-value', 'cache-control: no-cache', AUTHORITY],
] as const

const PRIVATE = 'cache-control: private'
const AT_21 = 'date: Mon, 21 Oct 2013 20:13:21 GMT'
const AT_22 = 'date: Mon, 21 Oct 2013 20:13:22 GMT'
const LOCATION = 'location: https://www.example.com'
const COOKIE = 'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'
const RESPONSES = [
  [':status: 302', PRIVATE, AT_21, LOCATION],
  [':status: 307', PRIVATE, AT_21, LOCATION],
  [':status: 200', PRIVATE, AT_22, LOCATION, 'content-encoding: gzip', COOKIE],
] as const
const RESPONSE_TABLES = [
  [LOCATION, AT_21, PRIVATE, ':status: 302'],
  [':status: 307', LOCATION, AT_21, PRIVATE],
  [COOKIE, 'content-encoding: gzip', AT_22],
] as const

const three = (
  octets: readonly string[],
  headers: readonly (readonly string[])[],
  tables: readonly (readonly string[])[],
): Example['blocks'] => octets.map((block, i) => [block, headers[i]!, tables[i]!] as const)

const EXAMPLES: readonly Example[] = [
  {
    section: 'C.2.1 literal with indexing',
    blocks: [
      [
        '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
        ['custom-key: custom-header'],
        ['custom-key: custom-header'],
      ],
    ],
  },
  {
    section: 'C.2.2 literal without indexing',
    blocks: [['040c 2f73 616d 706c 652f 7061 7468', [':path: /sample/path'], []]],
  },
  {
    section: 'C.2.3 literal never indexed',
    blocks: [['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password: secret'], []]],
  },
  { section: 'C.2.4 indexed', blocks: [['82', [':method: GET'], []]] },
  {
    section: 'C.3 requests',
    blocks: three(
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
      REQUESTS,
      REQUEST_TABLES,
    ),
  },
  {
    section: 'C.4 requests with the Huffman code',
    blocks: three(
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
      REQUESTS,
      REQUEST_TABLES,
    ),
  },
  {
    section: 'C.5 responses, with a table of 256 bytes',
    begin: '3fe101',
    blocks: three(
      [
        `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32
         3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
        '4803 3330 37c1 c0bf',
        `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970
         7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61
         6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
      ],
      RESPONSES,
      RESPONSE_TABLES,
    ),
  },
  {
    section: 'C.6 the same with the Huffman code',
    begin: '3fe101',
    blocks: three(
      [
        `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad
         1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
        '4883 640e ffc1 c0bf',
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2
         e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
      ],
      RESPONSES,
      RESPONSE_TABLES,
    ),
  },
]

for (const { section, begin, blocks } of EXAMPLES)
  test(`the example of ${section} reads as it should, and leaves its table`, () => {
    const decoder = new HpackDecoder()
    if (begin !== undefined) assert.deepEqual(decode(decoder, begin), [])
    for (const [octets, headers, entries] of blocks) {
      assert.deepEqual(decode(decoder, octets), headers)
      assert.deepEqual(table(decoder), entries)
    }
  })

/** What is read, block for block, and the table after them. */
// biome-ignore format: a line each
const READS: readonly (readonly [section: string, what: string, blocks: string, headers: string, table?: string])[] = [
  ['2.3.1', 'the first and the last entry of the static table', '81 bd', ':authority: |www-authenticate: '],
  ['2.3.2', 'the newest entry has the lowest index', '40 0161 0162 40 0163 0164 be bf', 'a: b|c: d|c: d|a: b', 'c: d|a: b'],
  ['2.3.2', 'an entry may be there twice', '40 0161 0162 40 0161 0162', 'a: b|a: b', 'a: b|a: b'],
  ['4.1', 'a table holds what fits with 32 bytes on top of each', '3f25 40 0161 0162 40 0163 0164', 'a: b|c: d', 'c: d|a: b'],
  ['4.1', 'and not one byte less', '3f24 40 0161 0162 40 0163 0164', 'a: b|c: d', 'c: d'],
  ['4.2', 'two size updates in a row: the smaller one counts for what is lost', '40 0161 0162, 20 3fe11f', 'a: b', ''],
  ['4.3', 'a smaller table loses its oldest entries', '40 0161 0162 40 0163 0164, 3f03', 'a: b|c: d', 'c: d'],
  ['4.3', 'a larger one has them still', '40 0161 0162, 3fe11f', 'a: b', 'a: b'],
  ['4.4', 'an entry larger than the table empties it', '40 0161 0162, 3f03 40 0163 03 646464', 'a: b|c: ddd', ''],
  ['4.4', 'the name of an entry that the new one pushes out', '3f03 40 0161 0162 7e 0163', 'a: b|a: c', 'a: c'],
  ['C.1.1', '10 with a prefix of five bits, as the size of the table: nothing fits', '2a 40 0161 00', 'a: ', ''],
  ['C.1.2', '1337: an entry of 1337 bytes fits', `3f9a0a 40 0161 7f9909 ${'62'.repeat(1304)}`, `a: ${'b'.repeat(1304)}`, `a: ${'b'.repeat(1304)}`],
  ['C.1.2', 'and none of 1338', `3f9a0a 40 0161 7f9a09 ${'62'.repeat(1305)}`, `a: ${'b'.repeat(1305)}`, ''],
  ['5.1', 'an integer with more octets than it needs', `00 7f8000 ${'6e'.repeat(127)} 00`, `${'n'.repeat(127)}: `],
  ['5.2', 'an empty string, in either code', '00 0161 00 00 0161 80', 'a: |a: '],
  ['5.2', 'Huffman text without padding', '00 0161 85 294a5294a5', 'a: eeeeeeee'],
  ['5.2', 'octets beyond ASCII, one character each', '00 0161 02 c3a9', 'a: \u00c3\u00a9'],
  ['6.2.1', 'a literal whose name stands in the static table', '44 0161', ':path: a', ':path: a'],
  ['6.2.2', 'without indexing, whose name stands in the dynamic table', '40 0161 0162, 0f2f 0163', 'a: b|a: c', 'a: b'],
  ['6.2.3', 'never indexed, whose name stands in the dynamic table', '40 0161 0162, 1f2f 0163', 'a: b|a: c', 'a: b'],
]

for (const [section, what, blocks, headers, entries = ''] of READS)
  test(`${section}: ${what}`, () => {
    const decoder = new HpackDecoder()
    const read = blocks.split(',').flatMap((block) => decode(decoder, block))
    assert.equal(read.join('|'), headers)
    assert.equal(table(decoder).join('|'), entries)
  })

// biome-ignore format: a line each
const REFUSED: readonly (readonly [section: string, what: string, block: string])[] = [
  ['2.3.3', 'the first index beyond the static table, where the dynamic one is empty', 'be'],
  ['2.3.3', 'the first index beyond both', '40 0161 0162 bf'],
  ['2.3.3', 'an index far beyond', 'ffffff7f'],
  ['2.3.3', 'a name beyond both tables, with indexing', '40 0161 0162 7f00 0163'],
  ['2.3.3', 'a name beyond both tables, without', '0f30 0163'],
  ['2.3.3', 'a name beyond both tables, never indexed', '1f30 0163'],
  ['4.2', 'a size update behind a header', '82 20'],
  ['5.1', 'an integer of more than 28 bits', 'ffffffffff01'],
  ['5.1', 'one that is zero in more octets than that', 'ff8080808000'],
  ['5.1', 'an integer that never ends', `ff${'80'.repeat(100)}`],
  ['5.1', 'a length above 2^32', '00 0161 7fffffffff7f'],
  ['5.1', 'an integer cut short', 'ff'],
  ['5.2', 'a name cut short', '40 0a 61'],
  ['5.2', 'a value cut short', '40 0161 05 62'],
  ['5.2', 'no value at all', '40 0161'],
  ['5.2', 'Huffman padding of zeros', '40 0161 81 00'],
  ['5.2', 'Huffman padding with a zero in it', '40 0161 81 1e'],
  ['5.2', 'Huffman padding of eight bits', '40 0161 82 1fff'],
  ['5.2', 'nothing but Huffman padding of eight bits', '40 0161 81 ff'],
  ['5.2', 'the end-of-string symbol, alone', '40 0161 84 ffffffff'],
  ['5.2', 'the end-of-string symbol, behind text', '40 0161 85 1fffffffff'],
  ['6.1', 'index 0', '80'],
  ['6.3', 'a table one byte larger than we allow', '3fe21f'],
  ['6.3', 'a table of 2^28 bytes', '3fe1ffff7f'],
]

for (const [section, what, block] of REFUSED)
  test(`${section}: ${what} is refused`, () => {
    assert.throws(() => decode(new HpackDecoder(), block), HpackError)
  })

test('a block that is cut anywhere is refused, or reads as what comes before the cut', () => {
  for (const { begin = '', blocks } of EXAMPLES) {
    const whole = hex(`${begin}${blocks.map(([octets]) => octets).join('')}`)
    const all = decode(new HpackDecoder(), whole.toString('hex'))
    for (let to = 0; to < whole.length; to++) {
      try {
        const read = decode(new HpackDecoder(), whole.toString('hex', 0, to))
        assert.deepEqual(read, all.slice(0, read.length))
      } catch (error) {
        assert.ok(error instanceof HpackError, String(error))
      }
    }
  }
})
