// What packing and unpacking cost, by size, by level, and in the ways there are:
//
//   packing/zstd/spans-100             as the router does it: a context that stays
//   packing/zstd/spans-100/one-shot    a context for each request
//   packing/zstd/spans-100/pool        the same in libuv's thread pool; the CPU of all threads counts

import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { compress, decompress, type Encoding } from '../../src/net/compression.ts'
import { payload } from '../rig/payloads.ts'
import { bench } from './harness.ts'

/** Requests in one call of run(): where there are threads, all on their way together. */
const REQUESTS = 16
const MAX_BYTES = 16 * 1024 * 1024

type Zlib = (bytes: Uint8Array, options: object) => unknown
interface State {
  readonly input: Uint8Array
  readonly options: object
  readonly plainBytes: number
}

const repeated = (run: () => unknown): unknown => {
  let last: unknown
  for (let i = 0; i < REQUESTS; i++) last = run()
  return last
}
const together = (run: () => unknown): Promise<unknown> => Promise.all(Array.from({ length: REQUESTS }, run))

function ways(
  name: string,
  spans: number,
  setup: () => State,
  kept: (input: Uint8Array) => unknown,
  [once, pool]: Zlib[],
) {
  const common = {
    items: REQUESTS * spans,
    bytes: ({ plainBytes }: State) => REQUESTS * plainBytes,
    setup,
  }
  const threaded = promisify(pool as typeof zlib.gzip)
  return [
    bench({ ...common, name, run: ({ input }) => repeated(() => kept(input)) }),
    bench({ ...common, name: `${name}/one-shot`, run: ({ input, options }) => repeated(() => once!(input, options)) }),
    bench({ ...common, name: `${name}/pool`, run: ({ input, options }) => together(() => threaded(input, options)) }),
  ]
}

/** Level 1 is what exporters use for gzip. */
const LEVEL = { gzip: 1, zstd: undefined } as const
const PACK = { gzip: [zlib.gzipSync, zlib.gzip], zstd: [zlib.zstdCompressSync, zlib.zstdCompress] }
const UNPACK = { gzip: [zlib.gunzipSync, zlib.gunzip], zstd: [zlib.zstdDecompressSync, zlib.zstdDecompress] }

const packing = (encoding: 'gzip' | 'zstd', spans: number) =>
  ways(
    `packing/${encoding}/spans-${spans}`,
    spans,
    () => {
      const input = payload({ items: spans })
      const chunkSize = Math.max(1024, input.length >>> 1)
      const own = encoding === 'gzip' ? { level: LEVEL.gzip } : { pledgedSrcSize: input.length }
      return { input, options: { chunkSize, ...own }, plainBytes: input.length }
    },
    (input) => compress(encoding, [input], LEVEL[encoding]).length,
    PACK[encoding] as Zlib[],
  )

const unpacking = (encoding: 'gzip' | 'zstd', spans: number) =>
  ways(
    `unpacking/${encoding}/spans-${spans}`,
    spans,
    () => {
      const plain = payload({ items: spans })
      const input = compress(encoding, [plain], LEVEL[encoding])
      const options = { chunkSize: Math.max(1024, plain.length + 1), maxOutputLength: MAX_BYTES }
      return { input, options, plainBytes: plain.length }
    },
    (input) => decompress(encoding, input, MAX_BYTES).length,
    UNPACK[encoding] as Zlib[],
  )

const level = (encoding: Encoding, by?: number) =>
  bench({
    name: `packing/${encoding}${by === undefined ? '' : `-${by}`}/spans-1000`,
    items: 1000,
    bytes: (bytes: Uint8Array) => bytes.length,
    setup: () => payload({ items: 1000 }),
    run: (bytes) => compress(encoding, [bytes], by).length,
  })

const SPANS = [10, 100, 1000] as const

export default [
  ...SPANS.flatMap((spans) => [...packing('gzip', spans), ...packing('zstd', spans)]),
  ...SPANS.flatMap((spans) => [...unpacking('gzip', spans), ...unpacking('zstd', spans)]),
  ...[2, 3, 6].map((by) => level('gzip', by)),
  ...[1, 6].map((by) => level('zstd', by)),
  level('snappy'),
]
