import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { readSnappyBlock } from '../../net/snappy.ts'
import { NO_CLIENT } from '../../otlp/batch.ts'
import { V2_METADATA_METRIC_TYPE } from '../../prometheus/remote-write-fields.ts'
import { Message1 } from './message-1.ts'
import { Message2 } from './message-2.ts'
import { Request } from './request.ts'
import { makeTrack, SeriesBook } from './series-book.ts'
import { readRequest } from './testing.ts'

const NOW_MS = 1_767_225_600_000
const TRACKS = [1, 3, 1, 8]

/** What one call adds: values of some series of a track, at a time. */
const addition = fc.record({
  track: fc.nat({ max: TRACKS.length - 1 }),
  time: fc.oneof(
    fc.integer({ min: NOW_MS, max: NOW_MS + 5 }),
    fc.constantFrom(1, 127, 128, 2 ** 35 - 1, 2 ** 35, 2 ** 42 - 1, 2 ** 42, 2 ** 53 - 1),
  ),
  start: fc.constantFrom(0, 1, NOW_MS, 2 ** 42),
  places: fc.uniqueArray(fc.nat({ max: 7 }), { maxLength: 8 }),
  value: fc.oneof(fc.double(), fc.constantFrom(Number.NaN, 'end')),
})

for (const version of ['1.0', '2.0'] as const)
  test(`remote write ${version}: whatever comes together and in whatever order, each series has its own values in the order of time, the later one for a time`, () => {
    void fc.assert(
      fc.property(fc.array(addition, { maxLength: 40 }), (additions) => {
        const book = new SeriesBook(version === '2.0')
        const family = book.family('m', V2_METADATA_METRIC_TYPE.values.METRIC_TYPE_GAUGE, '', '')
        const tracks = TRACKS.map((count, track) =>
          makeTrack(Array.from({ length: count }, (_, i) => book.series([['__name__', `m${track}_${i}`]], family))),
        )
        const request = new Request(NO_CLIENT)
        const expected = new Map<string, Map<number, number>>()
        for (const { track, time, start, places, value } of additions) {
          const own = places.filter((place) => place < TRACKS[track]!)
          if (own.length === 0) continue
          const at = request.row(tracks[track]!, time, start, 0, 1)
          for (const place of own) {
            if (value === 'end') request.end(at + place)
            else request.put(at + place, value as number)
            const name = `m${track}_${place}`
            const values = expected.get(name) ?? new Map<number, number>()
            expected.set(name, values.set(time, value === 'end' ? Number.NaN : (value as number)))
          }
        }
        request.sort()
        const message = version === '2.0' ? new Message2() : new Message1(false)
        const block = message.write(request, 0, request.series.length, NOW_MS)
        assert.ok(block.length <= request.bytes * 1.2 + 100)
        const { series } = readRequest(readSnappyBlock(block, 1e7), version === '2.0' ? '2.0.0' : '0.1.0')
        const found = series.map(
          ({ name, samples }) => [name, samples.map(({ time, value }) => [time, value])] as const,
        )
        const sorted = [...expected].map(([name, values]) => [name, [...values].sort(([a], [b]) => a - b)] as const)
        assert.deepEqual(new Map(found), new Map(sorted))
        assert.equal(found.length, sorted.length)
      }),
    )
  })
