// Attributes `...geo.location.lat` and `...geo.location.lon`: together they are one geo_point (reference 4.7).

import type { AttributeMap } from '../../otlp/attribute.ts'
import { encodeText } from '../../otlp/encode.ts'
import { CHAR } from '../../otlp/json/text.ts'
import { VALUE } from '../../otlp/value.ts'
import { equalBytes } from '../../wire/varint.ts'
import type { DocumentText } from './document-text.ts'

const LATITUDE = encodeText('geo.location.lat')
const LONGITUDE = encodeText('geo.location.lon')
const LAST_OF_LATITUDE = 0x74
const LAST_OF_LONGITUDE = 0x6e
const DOT = 0x2e

/** Whether `bytes[keyStart, keyEnd)` is the key of one. */
export function isPositionKey(bytes: Uint8Array, keyStart: number, keyEnd: number): boolean {
  const last = bytes[keyEnd - 1]
  if (last !== LAST_OF_LATITUDE && last !== LAST_OF_LONGITUDE) return false
  const start = keyEnd - LATITUDE.length
  if (start < keyStart || (start > keyStart && bytes[start - 1] !== DOT)) return false
  return equalBytes(bytes, start, keyEnd, last === LAST_OF_LATITUDE ? LATITUDE : LONGITUDE)
}

/** Whether entry `i` is one, which a double makes it. */
export const isPosition = (map: AttributeMap, i: number): boolean =>
  isPositionKey(map.source(i), map.keyStart(i), map.keyEnd(i)) && map.value(i).type === VALUE.DOUBLE

/** Rare, so it may allocate. */
export function writePlaces(text: DocumentText, map: AttributeMap): void {
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
