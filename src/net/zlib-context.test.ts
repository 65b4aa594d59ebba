import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants } from 'node:zlib'
import { PACK, TooLong, UNPACK, ZlibContext } from './zlib-context.ts'

const MAX = 1_000_000
const room = (): Uint8Array<ArrayBuffer> => new Uint8Array(100)
const SKIPPED = Buffer.from('502a4d1803000000010203', 'hex')
const outcome = (context: ZlibContext, body: Uint8Array): Buffer | string => {
  try {
    return Buffer.from(context.run(body, room(), MAX))
  } catch (error) {
    return `${(error as Error).constructor.name}: ${(error as Error).message}`
  }
}
const text = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => 97 + ((i * i) % 23)))

for (const name of ['gzip', 'zlib', 'zstd'] as const) {
  const unpack = UNPACK[name]
  const once = PACK[name].once as (bytes: Uint8Array, options?: object) => Buffer

  test(`${name}: through one context comes what each body holds, whatever came before it`, () => {
    const context = new ZlibContext(unpack, {})
    const good = once(text(5000))
    const dull = once(new Uint8Array(MAX + 1))
    const bodies: [string, Uint8Array][] = [
      ['cut', good.subarray(0, good.length - 3)],
      ['not packed at all', text(50)],
      ['too long', dull],
      ['followed by something', Buffer.concat([good, Buffer.alloc(9)])],
      ['empty', new Uint8Array(0)],
      ['of nothing', once(new Uint8Array(0))],
    ]
    // RFC 8878 3.1.2: a frame that is skipped.
    if (name === 'zstd') bodies.push(['behind a skipped frame', Buffer.concat([SKIPPED, good])])
    for (const [what, body] of bodies) {
      assert.deepEqual(Buffer.from(context.run(good, room(), MAX)), text(5000), `before one that is ${what}`)
      assert.deepEqual(outcome(context, body), outcome(new ZlibContext(unpack, {}), body), what)
      assert.deepEqual(Buffer.from(context.run(good, room(), MAX)), text(5000), `after one that is ${what}`)
    }
  })

  test(`${name}: a context packs every body to the same bytes as the one-shot function`, () => {
    for (const level of [undefined, 1, 3]) {
      const options =
        level === undefined
          ? {}
          : name === 'zstd'
            ? { params: { [constants.ZSTD_c_compressionLevel]: level } }
            : { level }
      const context = new ZlibContext(PACK[name], options)
      for (const length of [0, 1, 100, 70_000, 20, 300_000, 70_000]) {
        const whole = name === 'zstd' ? { ...options, pledgedSrcSize: length } : options
        assert.deepEqual(
          Buffer.from(context.run(text(length), room(), Number.POSITIVE_INFINITY)),
          once(text(length), whole),
          `${length} bytes at level ${level}`,
        )
      }
    }
  })

  test(`${name}: room that is exactly used up, or by one byte too small, changes nothing`, () => {
    const context = new ZlibContext(unpack, {})
    for (const length of [99, 100, 101, 1024, 2048])
      assert.equal(context.run(once(text(length)), room(), MAX).length, length)
    assert.throws(() => context.run(once(text(101)), room(), 100), TooLong)
  })

  test(`${name}: where node:zlib looks otherwise below, its one-shot function does the work within the same bound`, () => {
    const context = new ZlibContext({ ...unpack, create: () => ({}) }, {})
    assert.deepEqual(Buffer.from(context.run(once(text(5000)), room(), 5000)), text(5000))
    assert.throws(() => context.run(once(text(5000)), room(), 4999), TooLong)
    assert.throws(() => context.run(text(50), room(), MAX), /header|frame|descriptor/i)
  })
}
