// Attributes as a JSON object: without those that are hidden, each key once, positions of a place as one geo_point.

import { AttributeMap } from '../../otlp/attribute.ts'
import { encodeText } from '../../otlp/encode.ts'
import { CHAR } from '../../otlp/json/text.ts'
import { VALUE } from '../../otlp/value.ts'
import { Splice } from '../../wire/splice.ts'
import { equalBytes } from '../../wire/varint.ts'
import { type DocumentText, Piece } from './document-text.ts'
import { PlainAttributes } from './plain-attributes.ts'
import type { SpecialAttributes } from './special-attributes.ts'

const LATITUDE = encodeText('geo.location.lat')
const LONGITUDE = encodeText('geo.location.lon')
const OPEN = new Piece('"attributes":{')
const CLOSE = new Piece('},')
const DOT = 0x2e
const LAST_OF_LATITUDE = 0x74
const LAST_OF_LONGITUDE = 0x6e

/** A map for messages that no walk stands at: events and links. */
export function readOnlyMap(): AttributeMap {
  const never = (): never => {
    throw new Error('invariant: these attributes are only read')
  }
  return new AttributeMap(new Splice(), { frame: never, create: never })
}

/** Whether the key of entry `i` stands at an earlier entry; `seen` are 32 bits of those before it. */
export class KeyFilter {
  #seen = 0

  begin(): void {
    this.#seen = 0
  }

  /** True where the key was there before. Looks at other keys only where length and end are alike. */
  repeats(map: AttributeMap, i: number): boolean {
    const bytes = map.source(i)
    const end = map.keyEnd(i)
    const start = map.keyStart(i)
    const length = end - start
    const mark = length === 0 ? 0 : length * 7 + bytes[end - 1]! * 3 + bytes[start + (length >> 1)]!
    const bit = 1 << (mark & 31)
    if ((this.#seen & bit) === 0) {
      this.#seen |= bit
      return false
    }
    for (let before = 0; before < i; before++) {
      if (map.keyEnd(before) - map.keyStart(before) !== length) continue
      const other = map.source(before)
      const at = map.keyStart(before)
      let same = 0
      while (same < length && other[at + same] === bytes[start + same]) same++
      if (same === length) return true
    }
    return false
  }
}

export class AttributesJson {
  readonly #keys = new KeyFilter()
  readonly plain = new PlainAttributes()

  /** As write(), of a record in `bytes[start, end)` whose attributes are all usual. */
  writePlain(text: DocumentText, bytes: Uint8Array, start: number, end: number, field: number): void {
    const before = text.length
    text.piece(OPEN)
    if (!this.plain.write(text, bytes, start, end, field)) {
      text.cut(before)
      return
    }
    text.cut(text.length - 1)
    text.piece(CLOSE)
  }

  /**
   * `"attributes":{...},` with its comma; nothing at all where there are none. `first` is written before the attributes:
   * bytes with a comma behind them.
   */
  write(text: DocumentText, map: AttributeMap, special: SpecialAttributes, flatMaps = false, first?: Uint8Array): void {
    const { count } = map
    if (count === 0 && first === undefined) return
    text.piece(OPEN)
    const empty = text.length
    if (first !== undefined) text.raw(first)
    this.#keys.begin()
    let places = false
    for (let i = 0; i < count; i++) {
      if (this.#keys.repeats(map, i) || special.isHidden(i)) continue
      if (isPosition(map, i)) {
        places = true
        continue
      }
      text.member(map.source(i), map.keyStart(i), map.keyEnd(i), map.valueStart(i), map.valueEnd(i), flatMaps)
    }
    if (places) writePlaces(text, map)
    if (text.length > empty) text.cut(text.length - 1)
    text.ascii('},')
  }
}

/** `...geo.location.lat` or `.lon` with a double. */
function isPosition(map: AttributeMap, i: number): boolean {
  const bytes = map.source(i)
  const end = map.keyEnd(i)
  const last = bytes[end - 1]
  if (last !== LAST_OF_LATITUDE && last !== LAST_OF_LONGITUDE) return false
  const start = end - LATITUDE.length
  if (start < map.keyStart(i) || (start > map.keyStart(i) && bytes[start - 1] !== DOT)) return false
  const wanted = last === LAST_OF_LATITUDE ? LATITUDE : LONGITUDE
  return equalBytes(bytes, start, end, wanted) && map.value(i).type === VALUE.DOUBLE
}

/** Rare, so it may allocate. */
function writePlaces(text: DocumentText, map: AttributeMap): void {
  const places = new Map<string, { lat?: number; lon?: number }>()
  for (let i = 0; i < map.count; i++) {
    if (!isPosition(map, i)) continue
    const key = map.keyText(i)
    const prefix = key.slice(0, -LATITUDE.length)
    const place = places.get(prefix) ?? {}
    place[key.endsWith('lat') ? 'lat' : 'lon'] ??= map.value(i).number()
    places.set(prefix, place)
  }
  for (const [prefix, { lat, lon }] of places) {
    if (lat !== undefined && lon !== undefined) {
      text.quotedText(`${prefix}geo.location`)
      text.ascii(':[')
      text.float(lon)
      text.put(CHAR.COMMA)
      text.float(lat)
      text.ascii('],')
      continue
    }
    text.quotedText(`${prefix}geo.location.${lat === undefined ? 'lon' : 'lat'}`)
    text.put(CHAR.COLON)
    text.float((lat ?? lon)!)
    text.put(CHAR.COMMA)
  }
}
