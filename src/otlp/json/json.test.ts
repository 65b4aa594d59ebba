import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { decode, encode, type PlainMessage, requestArbitrary } from '../../../test/support/oracle.ts'
import { ENUMS, type Field, MESSAGES, type MessageTable } from '../fields.ts'
import { SIGNALS } from '../signal.ts'
import { bytesToJson, jsonToBytes } from './index.ts'
import { REQUEST_SHAPE } from './shape.ts'

// Another hand's OTLP/JSON: from the tables to plain objects, with every liberty that the dialect gives on input.
function plainJson(table: MessageTable, value: PlainMessage, free: (choices: number) => number): unknown {
  const json: Record<string, unknown> = {}
  for (const field of table.fields) {
    const found = value[field.json]
    const name = free(4) === 0 ? field.name : field.json
    if (found === undefined) {
      if (free(20) === 0) json[name] = null
      continue
    }
    const one = (element: unknown): unknown =>
      field.kind === 'message'
        ? plainJson(MESSAGES[field.type!]!, element as PlainMessage, free)
        : plainScalar(field, element, free)
    json[name] = field.repeated ? (found as unknown[]).map(one) : one(found)
    if (free(10) === 0) json[`unknown${free(3)}`] = [{ a: [1e5, null, true, '\\"}'] }, [], {}]
  }
  return json
}

class Raw {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

function plainScalar(field: Field, value: unknown, free: (choices: number) => number): unknown {
  if (field.idBytes !== undefined) {
    const hex = Buffer.from(value as Uint8Array).toString('hex')
    return free(2) === 0 ? hex : hex.toUpperCase()
  }
  if (field.kind === 'bytes') return Buffer.from(value as Uint8Array).toString(free(2) === 0 ? 'base64' : 'base64url')
  if (field.kind === 'enum') {
    const name = Object.entries(ENUMS[field.type!]!.values).find((entry) => entry[1] === value)?.[0]
    return free(2) === 0 ? value : name
  }
  if (typeof value === 'bigint') return free(2) === 0 ? String(value) : new Raw(String(value))
  if (field.kind === 'double') {
    if (!Number.isFinite(value)) return String(value)
    const text = Object.is(value, -0) ? '-0' : String(value)
    return free(2) === 0 ? text : new Raw(text)
  }
  return value
}

function print(json: unknown, free: (choices: number) => number): string {
  const space = (): string => ['', '', '', ' ', '\n\t'][free(5)]!
  if (json instanceof Raw) return json.text
  if (Array.isArray(json)) return `[${space()}${json.map((each) => print(each, free)).join(`${space()},${space()}`)}]`
  if (typeof json === 'object' && json !== null) {
    const entries = Object.entries(json).map(([key, value]) => `${JSON.stringify(key)}${space()}:${print(value, free)}`)
    return `{${space()}${entries.join(`,${space()}`)}${space()}}`
  }
  return JSON.stringify(json)
}

const liberties = fc.infiniteStream(fc.nat(0xffff)).map((stream) => {
  const numbers = stream[Symbol.iterator]()
  return (choices: number): number => (numbers.next().value as number) % choices
})

for (const signal of SIGNALS) {
  const table = MESSAGES[REQUEST_SHAPE[signal].message]!

  test(`random ${signal} in JSON become the bytes that protobufjs reads as the same request`, () => {
    return fc.assert(
      fc.property(requestArbitrary(signal), liberties, (request, free) => {
        const text = print(plainJson(table, request, free), free)
        assert.deepEqual(decode(signal, jsonToBytes(signal, text)), decode(signal, encode(signal, request)))
      }),
      { numRuns: 150 },
    )
  })

  test(`random ${signal} in bytes become JSON that JSON.parse reads and that gives the same request again`, () => {
    return fc.assert(
      fc.property(requestArbitrary(signal), (request) => {
        const bytes = encode(signal, request)
        const json = bytesToJson(signal, [bytes])
        assert.equal(typeof JSON.parse(json), 'object')
        assert.deepEqual(decode(signal, jsonToBytes(signal, json)), decode(signal, bytes))
      }),
      { numRuns: 150 },
    )
  })

  test(`several ${signal} requests side by side become one document`, () => {
    return fc.assert(
      fc.property(requestArbitrary(signal), requestArbitrary(signal), (one, two) => {
        const parts = [encode(signal, one), encode(signal, two)]
        const json = bytesToJson(signal, parts)
        assert.deepEqual(decode(signal, jsonToBytes(signal, json)), decode(signal, Buffer.concat(parts)))
      }),
      { numRuns: 60 },
    )
  })
}
