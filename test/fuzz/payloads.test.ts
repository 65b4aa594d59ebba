// Devices send what they like: every decoder reads a payload into a request that its door would take, or refuses it and
// leaves nothing behind. The messages of the case folders are where it starts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BadPayload } from '../../src/readings/bad-payload.ts'
import { JSON_KIND, JsonTape } from '../../src/readings/json-tape.ts'
import { DEFAULT_TIME_RULES, TIME, TimestampReader } from '../../src/readings/timestamps.ts'
import { DECODERS } from '../../src/receivers/mqtt/decoders/decoders.ts'
import { DecoderRig, RECEIVED_MS } from '../../src/receivers/mqtt/decoders/testing.ts'
import { asMessage, decoderCases } from '../../src/receivers/mqtt/decoders/testing-cases.ts'
import { fuzz } from './harness.ts'

const WORDS = [
  ...[
    '"',
    '\\',
    '\\u',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    'null',
    'true',
    '-',
    '0',
    '1e9',
    '1e999',
    '.',
    '""',
    ' ',
    '\n',
    'NaN',
  ],
  ...['"timestamp":', '"ts":0', '"value":', '"values":[', '{"Value":', '"device_id":""', '-1', '99999999999999999999'],
  ...['é', '=', '2026-01-01T00:00:00', '[[[[', '"t":"x"', '/config', '18446744073709551615'],
]

const cases = decoderCases()
const seeds = cases.flatMap((one) => one.messages.map(({ payload }) => payload))

for (const one of cases) {
  test(`decoder ${one.decoder}, ${one.name}: mangled payloads are read or refused as a whole`, async () => {
    const rig = one.rig()
    for (const message of one.messages) rig.push(message.payload, asMessage(message))
    rig.takenRequests()
    let turn = 0
    await fuzz({
      name: 'payloads',
      inputs: 250,
      seeds: one.messages.map(({ payload }) => payload),
      words: WORDS,
      run(bytes) {
        const message = one.messages[turn++ % one.messages.length]!
        // Anything but BadPayload is thrown by push; takenRequests throws what a door would refuse.
        const refused = rig.push(bytes, asMessage(message))
        const taken = rig.takenRequests()
        if (refused !== undefined) assert.deepEqual(taken, [], 'refused, but something was written')
      },
    })
  })
}

test('decoders without a case of their own meet the payloads of all others', async () => {
  const rigs = DECODERS.filter(({ name }) => !name.startsWith('otlp')).map((decoder) => new DecoderRig(decoder))
  await fuzz({
    name: 'payloads',
    inputs: 500,
    seeds,
    words: WORDS,
    run(bytes) {
      for (const rig of rigs) {
        rig.push(bytes)
        rig.takenRequests()
      }
    },
  })
})

test('a text is noted exactly where JSON.parse takes it, but for NaN and names that come twice', async () => {
  const tape = new JsonTape()
  await fuzz({
    name: 'payloads',
    inputs: 3000,
    seeds,
    words: WORDS,
    run(bytes) {
      let reason = ''
      try {
        tape.read(bytes)
      } catch (error) {
        assert.ok(error instanceof BadPayload)
        reason = error.reason
      }
      if (reason === 'duplicate_key' || reason === 'too_deep') return
      const text = Buffer.from(bytes).toString()
      if (reason === 'not_utf8' || /NaN|Infinity/.test(text) || text.startsWith('\ufeff')) return
      let isJson = true
      try {
        JSON.parse(text)
      } catch {
        isJson = false
      }
      assert.equal(reason === '', isJson)
      if (isJson && tape.kind(0) === JSON_KIND.NUMBER) assert.equal(tape.number(0), JSON.parse(text))
    },
  })
})

test('a text of a time is one within the limits, or the time of receipt', async () => {
  const reader = new TimestampReader({ ...DEFAULT_TIME_RULES, zone: 'Europe/Berlin' })
  const times = ['2026-01-01T00:00:00.123+01:00', '1767225600123456789', '20260101T000000Z', '1767225600.5', '6.4e17']
  await fuzz({
    name: 'payloads',
    inputs: 3000,
    seeds: times.map((text) => Buffer.from(text)),
    words: ['-', ':', '+', 'Z', '.', 'e', '9999999999', '0', ' '],
    run(bytes) {
      const verdict = reader.readText(bytes, 0, bytes.length, RECEIVED_MS)
      assert.ok(Number.isInteger(reader.ms) && Number.isInteger(reader.ns) && reader.ns >= 0 && reader.ns < 1e6)
      if (verdict !== TIME.OK) assert.equal(reader.ms, RECEIVED_MS)
      else {
        assert.ok(reader.ms - RECEIVED_MS <= DEFAULT_TIME_RULES.futureMaxMs)
        assert.ok(RECEIVED_MS - reader.ms <= DEFAULT_TIME_RULES.pastMaxMs)
      }
    },
  })
})
