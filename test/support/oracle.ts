// A second opinion on OTLP: protobufjs over proto/, and random requests of every signal with every field.
//
// Objects have protobufjs's shape (camelCase names, Uint8Array for bytes) with 64-bit integers as BigInt, so that none
// loses precision; a field that is absent is undefined, never its default.

import { globSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import protobuf from 'protobufjs'
import { ENUMS, type Field, MESSAGES, type MessageTable } from '../../src/otlp/fields.ts'
import type { Signal } from '../../src/otlp/signal.ts'
import { CODE_POINT } from './text.ts'

export type PlainMessage = Record<string, unknown>

const PROTO = fileURLToPath(new URL('../../proto', import.meta.url))
const root = new protobuf.Root()
root.resolvePath = (_origin, target) => (target.startsWith('/') ? target : join(PROTO, target))
root.loadSync(globSync('**/*.proto', { cwd: PROTO }).map((file) => join(PROTO, file)))
root.resolveAll()

export const REQUEST_NAME = {
  traces: 'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest',
  metrics: 'opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest',
  logs: 'opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest',
  profiles: 'opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest',
} as const satisfies Record<Signal, string>

/** Encodes any message of proto/ by its full name: fields by number, defaults without presence left out. */
export function encodeMessage(name: string, message: PlainMessage): Uint8Array {
  const type = root.lookupType(name)
  const bytes = type.encode(type.create(toProtobufjs(table(name), message) as PlainMessage)).finish()
  return new Uint8Array(bytes) // a Buffer of protobufjs's pool otherwise
}

/** Decodes any message of proto/ by its full name; throws as protobufjs does. */
export function decodeMessage(name: string, bytes: Uint8Array): PlainMessage {
  return fromProtobufjs(table(name), root.lookupType(name).decode(bytes) as unknown as PlainMessage) as PlainMessage
}

export const encode = (signal: Signal, request: PlainMessage): Uint8Array =>
  encodeMessage(REQUEST_NAME[signal], request)

export const decode = (signal: Signal, bytes: Uint8Array): PlainMessage => decodeMessage(REQUEST_NAME[signal], bytes)

function table(name: string): MessageTable {
  const found = MESSAGES[name]
  if (found === undefined) throw new Error(`no message ${name} in proto/`)
  return found
}

const IS_64: ReadonlySet<string> = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64'])
const IS_SIGNED: ReadonlySet<string> = new Set(['int64', 'sint64', 'sfixed64'])

interface Halves {
  readonly low: number
  readonly high: number
  readonly unsigned: boolean
}

const toHalves = (value: bigint, unsigned: boolean): Halves => ({
  low: Number(BigInt.asIntN(32, value)),
  high: Number(BigInt.asIntN(32, value >> 32n)),
  unsigned,
})

function toBigInt(value: Halves | number, signed: boolean): bigint {
  if (typeof value === 'number') return BigInt(value)
  const bits = (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0)
  return signed ? BigInt.asIntN(64, bits) : bits
}

function convert(
  message: MessageTable,
  value: PlainMessage,
  scalar: (field: Field, value: unknown) => unknown,
): PlainMessage {
  const converted: PlainMessage = {}
  for (const field of message.fields) {
    if (!Object.hasOwn(value, field.json)) continue
    const found = value[field.json]
    if (found === undefined || found === null) continue
    const one = (element: unknown): unknown =>
      field.kind === 'message' ? convert(table(field.type!), element as PlainMessage, scalar) : scalar(field, element)
    if (!field.repeated) converted[field.json] = one(found)
    else if ((found as unknown[]).length > 0) converted[field.json] = (found as unknown[]).map(one)
  }
  return converted
}

const toProtobufjs = (message: MessageTable, value: PlainMessage): PlainMessage =>
  convert(message, value, (field, scalar) =>
    IS_64.has(field.kind) ? toHalves(scalar as bigint, !IS_SIGNED.has(field.kind)) : scalar,
  )

const fromProtobufjs = (message: MessageTable, value: PlainMessage): PlainMessage =>
  convert(message, value, (field, scalar) => {
    if (IS_64.has(field.kind)) return toBigInt(scalar as Halves, IS_SIGNED.has(field.kind))
    return field.kind === 'bytes' ? new Uint8Array(scalar as Uint8Array) : scalar
  })

/**
 * A random message. Every field is there in about half of the cases, with edge values more often than chance would
 * have it; at most one field of a oneof; lists of up to three; attribute values up to `depth` deep; ids of the right
 * length or empty.
 */
export function messageArbitrary(name: string, depth = 4): fc.Arbitrary<PlainMessage> {
  const message = table(name)
  const plain: Record<string, fc.Arbitrary<unknown>> = {}
  const oneofs = new Map<string, Field[]>()
  for (const field of message.fields) {
    if (field.kind === 'message' && depth <= 0 && isRecursive(field)) continue
    if (field.oneof === undefined) plain[field.json] = fieldArbitrary(field, depth)
    else oneofs.set(field.oneof, [...(oneofs.get(field.oneof) ?? []), field])
  }
  const fields = fc.record(plain, { requiredKeys: [] })
  const choices = [...oneofs.values()].map((members) =>
    fc.oneof(
      fc.constant<PlainMessage>({}),
      ...members.map((field) => fieldArbitrary(field, depth).map((value): PlainMessage => ({ [field.json]: value }))),
    ),
  )
  return fc
    .tuple(fields as fc.Arbitrary<PlainMessage>, ...choices)
    .map((parts) => withoutEmptyLists(Object.assign({}, ...parts) as PlainMessage))
}

/** A random Export*ServiceRequest of the signal. */
export const requestArbitrary = (signal: Signal): fc.Arbitrary<PlainMessage> => messageArbitrary(REQUEST_NAME[signal])

const RECURSIVE: ReadonlySet<string> = new Set([
  'opentelemetry.proto.common.v1.ArrayValue',
  'opentelemetry.proto.common.v1.KeyValueList',
])
const isRecursive = (field: Field): boolean => RECURSIVE.has(field.type!)

function withoutEmptyLists(message: PlainMessage): PlainMessage {
  for (const key of Object.keys(message)) {
    const value = message[key]
    if (Array.isArray(value) && value.length === 0) delete message[key]
  }
  return message
}

function fieldArbitrary(field: Field, depth: number): fc.Arbitrary<unknown> {
  const element = field.kind === 'message' ? nested(field, depth) : scalarArbitrary(field)
  return field.repeated ? fc.array(element, { maxLength: 3 }) : element
}

// Memoised per depth: building the arbitraries of a whole request costs more than drawing from them.
const cache = new Map<string, fc.Arbitrary<PlainMessage>>()
function nested(field: Field, depth: number): fc.Arbitrary<PlainMessage> {
  const below = isRecursive(field) ? depth - 1 : depth
  const key = `${field.type} ${below}`
  let found = cache.get(key)
  if (found === undefined) {
    found = messageArbitrary(field.type!, below)
    cache.set(key, found)
  }
  return found
}

const EDGE_STRINGS = [
  '',
  'service.name',
  'naïve',
  '価格',
  '🙂',
  '"\\\n\t\u0000\u2028',
  'x'.repeat(127),
  'x'.repeat(128),
]

function scalarArbitrary(field: Field): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'string':
      return fc.oneof(fc.constantFrom(...EDGE_STRINGS), fc.string({ unit: CODE_POINT, maxLength: 20 }))
    case 'bytes':
      if (field.idBytes === undefined) return fc.uint8Array({ maxLength: 20 })
      return fc.oneof(
        { weight: 1, arbitrary: fc.constant(new Uint8Array(0)) },
        { weight: 9, arbitrary: fc.uint8Array({ minLength: field.idBytes, maxLength: field.idBytes }) },
      )
    case 'bool':
      return fc.boolean()
    case 'enum':
      return fc.constantFrom(...Object.values(ENUMS[field.type!]!.values))
    case 'double':
      return fc.oneof(
        fc.double(),
        fc.constantFrom(0, -0, 1, 0.1, 1e21, 5e-324, Number.NaN, Infinity, -Infinity, 2 ** 53, Number.MAX_VALUE),
      )
    case 'float':
      return fc.float()
    case 'int32':
    case 'sint32':
    case 'sfixed32':
      return fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 127, 128, 2 ** 31 - 1, -(2 ** 31)))
    case 'uint32':
    case 'fixed32':
      return fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 1, 127, 128, 2 ** 31, 0xffffffff))
    case 'int64':
    case 'sint64':
    case 'sfixed64':
      return fc.oneof(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.constantFrom(0n, 1n, -1n, 2n ** 31n, -(2n ** 31n), 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)),
      )
    case 'uint64':
    case 'fixed64':
      return fc.oneof(
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.constantFrom(0n, 1n, 127n, 128n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 64n - 1n),
      )
    default:
      throw new Error(`no arbitrary for ${field.kind}`)
  }
}
