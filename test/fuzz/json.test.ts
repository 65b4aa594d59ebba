// OTLP/JSON meets texts that no client writes: it takes them as exactly the JSON they are, or says MalformedOtlp.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { checkRequest } from '../../src/otlp/check.ts'
import { bytesToJson, jsonToBytes } from '../../src/otlp/json/index.ts'
import { MalformedOtlp } from '../../src/otlp/malformed.ts'
import { SIGNALS, type Signal } from '../../src/otlp/signal.ts'
import { decode, encode, REQUEST_NAME, requestArbitrary } from '../support/oracle.ts'
import { chooser, scramble } from '../support/scramble.ts'
import { fuzz, runs } from './harness.ts'

const isJson = (text: Uint8Array): boolean => {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text))
    return true
  } catch {
    return false
  }
}

/** The bytes that a text becomes, or undefined where it is refused; anything but MalformedOtlp is a failure. */
function survive(signal: Signal, text: Uint8Array): Uint8Array | undefined {
  try {
    const bytes = jsonToBytes(signal, text)
    checkRequest(signal, bytes)
    return bytes
  } catch (error) {
    if (!(error instanceof MalformedOtlp)) throw error
    assert.ok((error.offset ?? -1) >= 0)
    return undefined
  }
}

const WORDS = [
  ...['"', '\\', '\\u', '\\ud800', '{', '}', '[', ']', ',', ':', 'null', 'true', '-', '0', '1e9', '.', '""', ' ', '\n'],
  ...['\u0000', 'é', '\ufeff', '"name":', '{"intValue":"1"}', '99999999999999999999', '"NaN"', '[[[['],
]

test('the corpus itself is taken, and what is made of it prints the same again', () => {
  const folder = join(import.meta.dirname, 'corpus/json')
  for (const file of readdirSync(folder)) {
    const signal = SIGNALS.find((name) => file.startsWith(name)) ?? 'traces'
    const bytes = survive(signal, readFileSync(join(folder, file)))
    assert.ok(bytes !== undefined, file)
    assert.deepEqual(decode(signal, jsonToBytes(signal, bytesToJson(signal, [bytes]))), decode(signal, bytes))
  }
})

test('mutated requests are refused, or are JSON and become a request', async () => {
  let passed = 0
  await fuzz({
    name: 'json',
    inputs: 1500,
    words: WORDS,
    run(text) {
      for (const signal of SIGNALS) {
        const bytes = survive(signal, text)
        if (bytes === undefined) continue
        passed++
        assert.ok(isJson(text), 'taken, but no JSON')
        const json = bytesToJson(signal, [bytes])
        assert.deepEqual(decode(signal, jsonToBytes(signal, json)), decode(signal, bytes))
      }
    },
  })
  assert.ok(passed > 300, `only ${passed} texts were taken`)
})

test('an unknown name may hold whatever JSON.parse takes, and nothing else', async () => {
  await fuzz({
    name: 'json',
    inputs: 1500,
    words: WORDS,
    run(text) {
      const whole = Buffer.concat([Buffer.from('{"x":'), text, Buffer.from('}')])
      // A mutation may close the unknown value and put a known name behind it.
      const known = isJson(whole) && Object.keys(JSON.parse(whole.toString()) as object).some((name) => name !== 'x')
      if (!known) for (const signal of SIGNALS) assert.equal(survive(signal, whole) !== undefined, isJson(whole))
    },
  })
})

for (const signal of SIGNALS) {
  test(`${signal} in any order, split and repeated as protobuf allows, print as protobufjs reads them`, () => {
    return fc.assert(
      fc.property(requestArbitrary(signal), fc.integer(), (request, seed) => {
        const bytes = scramble(REQUEST_NAME[signal], encode(signal, request), chooser(seed))
        assert.deepEqual(decode(signal, jsonToBytes(signal, bytesToJson(signal, [bytes]))), decode(signal, bytes))
      }),
      { numRuns: Math.ceil(runs(1000) / 50) },
    )
  })
}
