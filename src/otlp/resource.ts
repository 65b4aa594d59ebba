// A resource or an instrumentation scope, read in place: a message that may come in several pieces, which merge.

import { Cursor } from '../wire/cursor.ts'
import { empty } from '../wire/empty.ts'
import { equalBytes, varintLow } from '../wire/varint.ts'
import { INSTRUMENTATION_SCOPE, RESOURCE } from './fields.ts'
import { utf8 } from './value.ts'

/** The pieces of one merged message inside its parent, and the schema URL beside them. */
export class MergedView {
  bytes: Uint8Array = new Uint8Array(0)
  /** Per piece: start and end of its contents, start of its length. Empty when there is no such message. */
  readonly pieces: number[] = []
  protected readonly cursor: Cursor = new Cursor()
  #schemaUrlStart = 0
  #schemaUrlEnd = 0

  /** The message in field 1 of the parent in `bytes[start, end)`; the schema URL is the parent's field 3. */
  reset(bytes: Uint8Array, start: number, end: number): this {
    this.bytes = bytes
    empty(this.pieces)
    this.#schemaUrlStart = 0
    this.#schemaUrlEnd = 0
    for (const c = this.cursor.reset(bytes, start, end); c.next(); ) {
      if (c.wireType !== 2) continue
      if (c.field === 1) this.pieces.push(c.start, c.end, c.lengthAt)
      else if (c.field === 3) {
        this.#schemaUrlStart = c.start
        this.#schemaUrlEnd = c.end
      }
    }
    return this
  }

  toSchemaUrl(): string {
    return utf8(this.bytes, this.#schemaUrlStart, this.#schemaUrlEnd)
  }

  /** The last varint in `field` of any piece, 0 when absent. */
  protected uint32(field: number): number {
    let value = 0
    for (let i = 0; i < this.pieces.length; i += 3)
      for (const c = this.cursor.reset(this.bytes, this.pieces[i]!, this.pieces[i + 1]!); c.next(); )
        if (c.field === field && c.wireType === 0) value = varintLow(this.bytes, c.start)
    return value
  }
}

export class ResourceView extends MergedView {
  droppedAttributesCount(): number {
    return this.uint32(RESOURCE.DROPPED_ATTRIBUTES_COUNT)
  }
}

export class ScopeView extends MergedView {
  #start = 0
  #end = 0

  toName(): string {
    this.#find(INSTRUMENTATION_SCOPE.NAME)
    return utf8(this.bytes, this.#start, this.#end)
  }

  toVersion(): string {
    this.#find(INSTRUMENTATION_SCOPE.VERSION)
    return utf8(this.bytes, this.#start, this.#end)
  }

  /** Whether the scope's name has exactly these UTF-8 bytes; an absent name is the empty one. */
  nameEquals(name: Uint8Array): boolean {
    this.#find(INSTRUMENTATION_SCOPE.NAME)
    return equalBytes(this.bytes, this.#start, this.#end, name)
  }

  versionEquals(version: Uint8Array): boolean {
    this.#find(INSTRUMENTATION_SCOPE.VERSION)
    return equalBytes(this.bytes, this.#start, this.#end, version)
  }

  droppedAttributesCount(): number {
    return this.uint32(INSTRUMENTATION_SCOPE.DROPPED_ATTRIBUTES_COUNT)
  }

  #find(field: number): void {
    this.#start = 0
    this.#end = 0
    for (let i = 0; i < this.pieces.length; i += 3) {
      for (const c = this.cursor.reset(this.bytes, this.pieces[i]!, this.pieces[i + 1]!); c.find(field); ) {
        this.#start = c.start
        this.#end = c.end
      }
    }
  }
}
