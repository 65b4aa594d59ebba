// Attributes below those that a walk knows: of events, of links, of exemplars.

import { AttributeMap } from '../../otlp/attribute.ts'
import { Splice } from '../../wire/splice.ts'

const never = (): never => {
  throw new Error('invariant: a line is made without edits')
}

export class InnerAttributes {
  readonly #map = new AttributeMap(new Splice(), { frame: never, create: never })

  /** Those in field `field` of the message in `bytes[from, to)`; valid until the next call. */
  of(bytes: Uint8Array, from: number, to: number, field: number): AttributeMap {
    this.#map.open(bytes, field)
    this.#map.piece(from, to)
    return this.#map
  }
}
