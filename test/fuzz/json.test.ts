// OTLP/JSON meets texts that no client writes: it takes them as exactly the JSON they are, or says MalformedOtlp.
//
// More inputs than the tests run: FUZZ_RUNS=1000000 node --test test/fuzz/json.test.ts

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { checkRequest } from '../../src/otlp/check.ts'
import { bytesToJson, jsonToBytes } from '../../src/otlp/json/index.ts'
import { MalformedOtlp } from '../../src/otlp/malformed.ts'
import { SIGNALS, type Signal } from '../../src/otlp/signal.ts'
import { decode, encode, REQUEST_NAME, requestArbitrary } from '../support/oracle.ts'
import { chooser, scramble } from '../support/scramble.ts'

const RUNS = Number(process.env.FUZZ_RUNS ?? 1000)

const folder = join(import.meta.dirname, 'corpus/json')
const corpus = readdirSync(folder)
  .sort()
  .map((name) => ({ signal: basename(name, '.json') as Signal, text: readFileSync(join(folder, name)) }))

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

const SNIPPETS = ['"', '\\', '\\u', '\\ud800', '{', '}', '[', ']', ',', ':', 'null', 'true', '-', '0', '1e9', '.', '""']
const MORE = [
  '\u0000',
  '\n',
  'é',
  '"name":',
  '{"intValue":"1"}',
  '99999999999999999999',
  '"NaN"',
  '[[[[',
  ' ',
  '\ufeff',
]

/** A text of the corpus with some bytes replaced, cut out, doubled or put in. */
const mutated = fc
  .tuple(
    fc.constantFrom(...corpus),
    fc.array(
      fc.tuple(
        fc.nat(0xffff),
        fc.nat(40),
        fc.oneof(
          fc.constantFrom(...SNIPPETS, ...MORE).map((text) => Buffer.from(text)),
          fc.uint8Array({ maxLength: 3 }),
        ),
        fc.nat(3),
      ),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([{ signal, text }, edits]) => {
    let found: Uint8Array = text
    for (const [place, length, snippet, kind] of edits) {
      const at = place % (found.length + 1)
      const piece = kind === 0 ? found.subarray(at, at + length) : kind === 1 ? new Uint8Array(0) : snippet
      found = Buffer.concat([
        found.subarray(0, at),
        piece,
        found.subarray(kind === 3 ? at + 1 : at + (kind === 2 ? length : 0)),
      ])
    }
    return { signal, text: found }
  })

test('the corpus itself is taken, and what is made of it prints the same again', () => {
  for (const { signal, text } of corpus) {
    const bytes = survive(signal, text)
    assert.ok(bytes !== undefined, signal)
    assert.deepEqual(decode(signal, jsonToBytes(signal, bytesToJson(signal, [bytes]))), decode(signal, bytes))
  }
})

test('mutated requests are refused, or are JSON and become a request', () => {
  return fc.assert(
    fc.property(mutated, ({ signal, text }) => {
      const bytes = survive(signal, text)
      if (bytes === undefined) return
      assert.ok(isJson(text), 'taken, but no JSON')
      const json = bytesToJson(signal, [bytes])
      assert.deepEqual(decode(signal, jsonToBytes(signal, json)), decode(signal, bytes))
    }),
    { numRuns: RUNS },
  )
})

test('an unknown name may hold whatever JSON.parse takes, and nothing else', () => {
  const value = fc.oneof(
    mutated.map(({ text }) => Buffer.from(text).toString()),
    fc.json(),
    fc.json().map((json) => json.slice(1)),
    fc.array(fc.constantFrom(...SNIPPETS, ...MORE), { maxLength: 6 }).map((parts) => parts.join('')),
  )
  return fc.assert(
    fc.property(value, fc.constantFrom(...SIGNALS), (text, signal) => {
      const whole = Buffer.from(`{"x":${text}}`)
      if (!isJson(whole) || !Object.hasOwn(JSON.parse(whole.toString()), 'resourceSpans'))
        assert.equal(survive(signal, whole) !== undefined, isJson(whole))
    }),
    { numRuns: RUNS },
  )
})

for (const signal of SIGNALS) {
  test(`${signal} in any order, split and repeated as protobuf allows, print as protobufjs reads them`, () => {
    return fc.assert(
      fc.property(requestArbitrary(signal), fc.integer(), (request, seed) => {
        const bytes = scramble(REQUEST_NAME[signal], encode(signal, request), chooser(seed))
        assert.deepEqual(decode(signal, jsonToBytes(signal, bytesToJson(signal, [bytes]))), decode(signal, bytes))
      }),
      { numRuns: Math.ceil(RUNS / 50) },
    )
  })
}
