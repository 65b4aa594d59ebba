// The same message in other bytes: what the protobuf encoding allows and no ordinary encoder writes.
//
// Fields in another order, singular messages in two pieces that merge, scalars with a stale value before the right one,
// packed lists unpacked and lists in pieces, unknown fields, known numbers with wire types that are not theirs, lengths
// and varints longer than they need to be. A reader that follows protobuf reads the same from both.

import { type Field, MESSAGES, type MessageTable } from '../../src/otlp/fields.ts'
import { Cursor } from '../../src/wire/cursor.ts'
import { Writer } from '../../src/wire/writer.ts'

/** A whole number from 0 to `below` - 1. */
export type Choose = (below: number) => number

/** A seeded source of choices (mulberry32), for tests that print their seed. */
export function chooser(seed: number): Choose {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

interface Piece {
  readonly field: number
  readonly bytes: Uint8Array
}

export interface ScrambleOptions {
  /** Only the order of the fields: descending at every level, as the Collector's encoder writes them. */
  readonly descending?: boolean
}

/** `bytes` are a message of that full name. */
export function scramble(name: string, bytes: Uint8Array, choose: Choose, options: ScrambleOptions = {}): Uint8Array {
  const table = MESSAGES[name]!
  const pieces: Piece[] = []
  for (const c = new Cursor().reset(bytes); c.next(); ) {
    const field = table.fields.find((candidate) => candidate.number === c.field)
    if (field === undefined) pieces.push({ field: c.field, bytes: bytes.slice(c.at, c.end) })
    else if (field.kind === 'message') {
      const inner = scramble(field.type!, bytes.subarray(c.start, c.end), choose, options)
      pieces.push(...message(field, inner, choose, options))
    } else if (options.descending) pieces.push({ field: c.field, bytes: bytes.slice(c.at, c.end) })
    else pieces.push(...scalar(field, c, choose))
  }
  if (options.descending) return join(pieces.toSorted((a, b) => b.field - a.field))
  for (let n = choose(3); n > 0; n--) pieces.splice(choose(pieces.length + 1), 0, unknown(table, choose))
  return join(shuffle(pieces, choose))
}

function message(field: Field, inner: Uint8Array, choose: Choose, options: ScrambleOptions): Piece[] {
  const whole = (contents: Uint8Array): Piece => {
    const writer = new Writer().tag(field.number, 2)
    if (options.descending || choose(4) > 0) writer.varint(contents.length)
    else writer.copy(longVarint(contents.length))
    return { field: field.number, bytes: writer.copy(contents).toBytes() }
  }
  if (options.descending || field.repeated || choose(3) > 0) return [whole(inner)]
  // Cut between two fields: both pieces are messages, which merge.
  const cuts = [0]
  for (const c = new Cursor().reset(inner); c.next(); ) cuts.push(c.end)
  const cut = cuts[choose(cuts.length)]!
  return [whole(inner.subarray(0, cut)), whole(inner.subarray(cut))]
}

function scalar(field: Field, c: Cursor, choose: Choose): Piece[] {
  const { bytes } = c
  const whole: Piece = { field: c.field, bytes: bytes.slice(c.at, c.end) }
  if (field.packed && c.wireType === 2) {
    if (choose(2) === 0) return [whole]
    const pieces: Piece[] = []
    for (let p = c.start; p < c.end; ) {
      let end = p + (field.wireType === 1 ? 8 : 4)
      if (field.wireType === 0) for (end = p + 1; bytes[end - 1]! > 0x7f; ) end++
      const value = bytes.subarray(p, end)
      const writer = new Writer()
      // Unpacked, or packed alone.
      if (choose(2) === 0) writer.tag(c.field, field.wireType).copy(value)
      else writer.field(c.field, value)
      pieces.push({ field: c.field, bytes: writer.toBytes() })
      p = end
    }
    return pieces
  }
  if (field.repeated || choose(4) > 0) return [whole]
  return [{ field: c.field, bytes: stale(field, c.wireType) }, whole]
}

function stale(field: Field, wireType: number): Uint8Array {
  const writer = new Writer().tag(field.number, wireType)
  if (wireType === 0) return writer.varint(300).toBytes()
  if (wireType === 1) return writer.f64(1.5).toBytes()
  if (wireType === 5) return writer.copy(Uint8Array.of(1, 2, 3, 4)).toBytes()
  const size = field.idBytes ?? 3
  return writer.varint(size).copy(new Uint8Array(size).fill(0x61)).toBytes()
}

/** A field that the .proto does not have, or has with another wire type. */
function unknown(table: MessageTable, choose: Choose): Piece {
  const known = table.fields[choose(table.fields.length)]
  if (known !== undefined && choose(2) === 0 && !known.packed) {
    const wireType = known.wireType === 5 ? 0 : 5
    return { field: known.number, bytes: stale(known, wireType) }
  }
  const number = [table.wireType.length + choose(40), 1000, 2 ** 29 - 1][choose(3)]!
  const writer = new Writer().tag(number, [0, 1, 2, 5][choose(4)]!)
  const wireType = writer.bytes[0]! & 7
  if (wireType === 0) writer.varint(choose(2 ** 31))
  else if (wireType === 1) writer.f64(2.5)
  else if (wireType === 5) writer.copy(Uint8Array.of(255, 255, 255, 255))
  else writer.varint(4).copy(Uint8Array.of(0xff, 0xfe, 0x0b, 0x80))
  return { field: -1, bytes: writer.toBytes() }
}

/** A length in more bytes than it needs. */
function longVarint(value: number): Uint8Array {
  const writer = new Writer().varint(value)
  writer.bytes[writer.length - 1]! |= 0x80
  return writer.copy(Uint8Array.of(0)).toBytes()
}

// Fields of one number keep their order among themselves: it carries meaning.
function shuffle(pieces: readonly Piece[], choose: Choose): Piece[] {
  const keys = new Map<Piece, number>()
  for (const piece of pieces) keys.set(piece, choose(1000))
  const mixed = pieces.toSorted((a, b) => keys.get(a)! - keys.get(b)!)
  const byField = new Map<number, Piece[]>()
  for (const piece of pieces) byField.set(piece.field, [...(byField.get(piece.field) ?? []), piece])
  return mixed.map((piece) => byField.get(piece.field)!.shift()!)
}

function join(pieces: readonly Piece[]): Uint8Array {
  const writer = new Writer()
  for (const piece of pieces) writer.copy(piece.bytes)
  return writer.toBytes()
}
