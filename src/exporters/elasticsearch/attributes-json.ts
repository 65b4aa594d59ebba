// Attributes as a JSON object: without those that are hidden, each key once, positions of a place as one geo_point.

import { AttributeMap } from '../../otlp/attribute.ts'
import { CHAR } from '../../otlp/json/text.ts'
import { Piece } from '../../wire/piece.ts'
import { Splice } from '../../wire/splice.ts'
import type { AttributePaths } from './attribute-paths.ts'
import type { DocumentText } from './document-text.ts'
import { isPosition, writePlaces } from './positions.ts'
import type { SpecialAttributes } from './special-attributes.ts'

const OPEN = new Piece('"attributes":{')
const CLOSE = new Piece('},')

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

  /** As write(), of a record in `bytes` whose attributes have been followed. */
  writeFollowed(text: DocumentText, bytes: Uint8Array, paths: AttributePaths): void {
    if (paths.count === 0) return
    text.piece(OPEN)
    text.members(paths, bytes)
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
      text.quoted(map.source(i), map.keyStart(i), map.keyEnd(i))
      text.put(CHAR.COLON)
      text.value(map.source(i), map.valueStart(i), map.valueEnd(i), flatMaps)
      text.put(CHAR.COMMA)
    }
    if (places) writePlaces(text, map)
    if (text.length > empty) text.cut(text.length - 1)
    text.piece(CLOSE)
  }
}
