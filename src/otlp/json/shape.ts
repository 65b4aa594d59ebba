// The field tables, arranged for OTLP/JSON: a field is found by its JSON name's bytes or by its number, without strings.

import {
  ENUMS,
  EXPORT_LOGS_SERVICE_REQUEST,
  EXPORT_METRICS_SERVICE_REQUEST,
  EXPORT_PROFILES_SERVICE_REQUEST,
  EXPORT_TRACE_SERVICE_REQUEST,
  type Field,
  MESSAGES,
} from '../fields.ts'
import type { Signal } from '../signal.ts'

/** What a value is, as a small number: one switch decides how it is read and written. */
export const KIND = {
  STRING: 0,
  BYTES: 1,
  ID: 2,
  MESSAGE: 3,
  BOOL: 4,
  ENUM: 5,
  DOUBLE: 6,
  FIXED64: 7,
  SFIXED64: 8,
  FIXED32: 9,
  UINT32: 10,
  INT32: 11,
  SINT32: 12,
  UINT64: 13,
  INT64: 14,
} as const

const KIND_OF: Readonly<Record<string, number>> = {
  string: KIND.STRING,
  bytes: KIND.BYTES,
  message: KIND.MESSAGE,
  bool: KIND.BOOL,
  enum: KIND.ENUM,
  double: KIND.DOUBLE,
  fixed64: KIND.FIXED64,
  sfixed64: KIND.SFIXED64,
  fixed32: KIND.FIXED32,
  uint32: KIND.UINT32,
  int32: KIND.INT32,
  sint32: KIND.SINT32,
  uint64: KIND.UINT64,
  int64: KIND.INT64,
}

export interface ShapeField {
  readonly number: number
  readonly kind: number
  readonly name: string
  /** Tag of one value; `packedTag` of a whole list in one piece, 0 where lists are never packed. */
  readonly tag: number
  readonly packedTag: number
  readonly wireType: number
  readonly repeated: boolean
  /** Written even where it is the default: a oneof's member, an `optional`. */
  readonly present: boolean
  /** `"name":` in bytes. */
  readonly key: Uint8Array
  readonly idBytes: number
  readonly enumNumbers: ReadonlyMap<string, number> | undefined
  /** The numbers, as bits, of the other members of its oneof. */
  readonly rivals: number
  /** Bytes to set aside for the length of this field: the usual case is right the first time. */
  readonly lengthBytes: number
  /** A list of attributes whose tag is one byte. */
  readonly isAttribute: boolean
  /** Set for messages. */
  readonly shape: Shape
}

export interface FieldName {
  /** With the quote that closes it. */
  readonly bytes: Uint8Array
  readonly field: ShapeField
}

// Names are told apart by their first two characters before they are compared.
const BUCKETS = 64
const bucketOf = (first: number, second: number): number => (first * 7 + second) & (BUCKETS - 1)

// Messages that are nearly always shorter than 128 bytes; all others get two bytes for their length.
const SHORT: ReadonlySet<string> = new Set([
  'KeyValue',
  'AnyValue',
  'Status',
  'InstrumentationScope',
  'ValueAtQuantile',
  'ValueType',
  'Line',
])

/**
 * The same bytes without Node's Buffer around them: loops that only ever see one class of array are markedly faster.
 */
export const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export class Shape {
  readonly message: string
  /** By number. */
  fields: readonly (ShapeField | undefined)[] = []
  readonly #names: FieldName[][] = Array.from({ length: BUCKETS }, () => [])

  constructor(message: string) {
    this.message = message
  }

  /** @param shapes gives the shape of a message by its full name, perhaps not filled in yet */
  fill(shapes: (name: string) => Shape): void {
    const table = MESSAGES[this.message]!
    const fields: (ShapeField | undefined)[] = new Array(table.wireType.length).fill(undefined)
    for (const field of table.fields) {
      // Bits of a number hold the fields seen in one message.
      if (field.number > 31) throw new Error(`invariant: ${this.message}.${field.name} has a number above 31`)
      const rivals = table.fields.filter((other) => field.oneof !== undefined && other.oneof === field.oneof)
      const shaped = shapeField(field, rivals, shapes)
      fields[field.number] = shaped
      // Collector reference 2.3, "JSON dialect": both spellings are understood.
      for (const name of new Set([field.json, field.name])) {
        const bytes = plain(Buffer.from(`${name}"`))
        this.#names[bucketOf(bytes[0]!, bytes[1]!)]!.push({ bytes, field: shaped })
      }
    }
    this.fields = fields
  }

  /** The field whose name, and the quote behind it, stand at `from`; undefined for an unknown name or an escaped one. */
  find(bytes: Uint8Array, from: number): FieldName | undefined {
    const names = this.#names[bucketOf(bytes[from]!, bytes[from + 1]!)]!
    for (let n = 0; n < names.length; n++) {
      const name = names[n]!.bytes
      let i = 0
      while (i < name.length && name[i] === bytes[from + i]) i++
      if (i === name.length) return names[n]
    }
    return undefined
  }
}

function shapeField(field: Field, rivals: readonly Field[], shapes: (name: string) => Shape): ShapeField {
  const kind = field.idBytes !== undefined ? KIND.ID : KIND_OF[field.kind]
  if (kind === undefined) throw new Error(`invariant: no JSON form for ${field.kind}`)
  const type = field.type?.slice(field.type.lastIndexOf('.') + 1) ?? ''
  return {
    number: field.number,
    kind,
    name: field.json,
    tag: field.number * 8 + field.wireType,
    packedTag: field.packed ? field.number * 8 + 2 : 0,
    wireType: field.wireType,
    repeated: field.repeated === true,
    present: field.optional === true || field.oneof !== undefined,
    key: plain(Buffer.from(`${JSON.stringify(field.json)}:`)),
    idBytes: field.idBytes ?? 0,
    enumNumbers: kind === KIND.ENUM ? new Map(Object.entries(ENUMS[field.type!]!.values)) : undefined,
    rivals: rivals.reduce((bits, rival) => (rival.number === field.number ? bits : bits | (1 << rival.number)), 0),
    isAttribute: type === 'KeyValue' && field.repeated === true && field.number < 16,
    lengthBytes: kind !== KIND.MESSAGE || SHORT.has(type) ? 1 : 2,
    shape: kind === KIND.MESSAGE ? shapes(field.type!) : NO_SHAPE,
  }
}

const NO_SHAPE = new Shape('')

function shapesOf(names: Readonly<Record<Signal, string>>): Readonly<Record<Signal, Shape>> {
  const shapes = new Map<string, Shape>()
  const get = (name: string): Shape => {
    let shape = shapes.get(name)
    if (shape === undefined) {
      shape = new Shape(name)
      shapes.set(name, shape)
      shape.fill(get)
    }
    return shape
  }
  return {
    traces: get(names.traces),
    metrics: get(names.metrics),
    logs: get(names.logs),
    profiles: get(names.profiles),
  }
}

/** The shape of each signal's export request. */
export const REQUEST_SHAPE = shapesOf({
  traces: EXPORT_TRACE_SERVICE_REQUEST.message,
  metrics: EXPORT_METRICS_SERVICE_REQUEST.message,
  logs: EXPORT_LOGS_SERVICE_REQUEST.message,
  profiles: EXPORT_PROFILES_SERVICE_REQUEST.message,
})
