// Goes through the spans or log records of one encoded request and says of each whether it stays, stays edited, or goes.
// Scopes and resources that nothing stays in go with their items.
//
//   const sift = new Sift()                       made once, reused
//   sift.open(part)
//   while (sift.next())                           the item: sift.bytes[sift.start, sift.end)
//     sift.keep() | sift.edit(edits, count) | sift.drop()
//   sift.finish()                                 undefined when nothing stays; the same array when nothing changed
//
// What goes is not written down before something behind it stays: neighbours that go are one range, and a scope of which
// nothing stays is a range of its resource. So all edits come in ascending order, in one pass.

import { Cursor } from '../wire/cursor.ts'
import { ROOT, Splice } from '../wire/splice.ts'
import { EXPORT_TRACE_SERVICE_REQUEST, RESOURCE_SPANS, SCOPE_SPANS } from './fields.ts'

// The same numbers in traces and logs (numbers.test.ts).
const RESOURCES = EXPORT_TRACE_SERVICE_REQUEST.RESOURCE_SPANS
const SCOPES = RESOURCE_SPANS.SCOPE_SPANS
const ITEMS = SCOPE_SPANS.SPANS

const NO_FRAME = -2

/** Ranges that may have to go, in order; those that touch are one. */
class Ranges {
  numbers = new Int32Array(64)
  count = 0

  add(from: number, to: number): void {
    const at = this.count
    if (at > 0 && this.numbers[at - 1] === from) {
      this.numbers[at - 1] = to
      return
    }
    if (at === this.numbers.length) {
      const larger = new Int32Array(at * 2)
      larger.set(this.numbers)
      this.numbers = larger
    }
    this.numbers[at] = from
    this.numbers[at + 1] = to
    this.count = at + 2
  }

  removeFrom(splice: Splice, frame: number): void {
    for (let i = 0; i < this.count; i += 2) splice.remove(frame, this.numbers[i]!, this.numbers[i + 1]!)
    this.count = 0
  }
}

export class Sift {
  /** For the new bytes that edit() refers to. */
  readonly splice = new Splice()
  #bytes: Uint8Array = new Uint8Array(0)
  #words: DataView = new DataView(this.#bytes.buffer)
  readonly #resources = new Cursor()
  readonly #scopes = new Cursor()
  readonly #items = new Cursor()
  readonly #goneResources = new Ranges()
  readonly #goneScopes = new Ranges()
  readonly #goneItems = new Ranges()
  #resourceFrame = NO_FRAME
  #scopeFrame = NO_FRAME
  #inResource = false
  #inScope = false
  #staysInResource = false
  #staysInScope = false
  #stays = false
  #dropped = 0

  /** Before the first item of an encoded request, which must have passed checkRequest(). */
  open(bytes: Uint8Array): this {
    this.#bytes = bytes
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.splice.reset(bytes)
    this.#resources.reset(bytes)
    this.#scopes.reset(bytes, 0, 0)
    this.#items.reset(bytes, 0, 0)
    this.#goneResources.count = 0
    this.#inResource = false
    this.#inScope = false
    this.#stays = false
    this.#dropped = 0
    return this
  }

  /** Moves to the next item, in whatever scope it is; false when there is none left. */
  next(): boolean {
    while (!this.#items.find(ITEMS)) {
      this.#endScope()
      while (!this.#scopes.find(SCOPES)) {
        this.#endResource()
        if (!this.#resources.find(RESOURCES)) return false
        this.#inResource = true
        this.#staysInResource = false
        this.#resourceFrame = NO_FRAME
        this.#goneScopes.count = 0
        this.#scopes.reset(this.#bytes, this.#resources.start, this.#resources.end)
      }
      this.#inScope = true
      this.#staysInScope = false
      this.#scopeFrame = NO_FRAME
      this.#goneItems.count = 0
      this.#items.reset(this.#bytes, this.#scopes.start, this.#scopes.end)
    }
    return true
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** The same bytes. */
  get words(): DataView {
    return this.#words
  }

  get start(): number {
    return this.#items.start
  }

  get end(): number {
    return this.#items.end
  }

  keep(): void {
    if (!this.#staysInScope || this.#goneItems.count > 0) this.#stay()
  }

  /** Keeps it with edits in ascending order, four numbers each: `[from, to)` becomes `splice.added[newFrom, newTo)`. */
  edit(edits: Int32Array, count: number): void {
    this.keep()
    const { lengthAt, start, end } = this.#items
    this.splice.edit(this.#openScope(), lengthAt, start, end, edits, count)
  }

  drop(): void {
    this.#dropped++
    this.#goneItems.add(this.#items.at, this.#items.end)
  }

  /** Items dropped since open(). */
  get dropped(): number {
    return this.#dropped
  }

  /** What stays. Call it when next() has said false. */
  finish(): Uint8Array | undefined {
    if (!this.#stays) return undefined
    this.#goneResources.removeFrom(this.splice, ROOT)
    return this.splice.finish()
  }

  #stay(): void {
    if (!this.#staysInResource) {
      this.#goneResources.removeFrom(this.splice, ROOT)
      this.#stays = true
      this.#staysInResource = true
    }
    if (!this.#staysInScope) {
      if (this.#goneScopes.count > 0) this.#goneScopes.removeFrom(this.splice, this.#openResource())
      this.#staysInScope = true
    }
    if (this.#goneItems.count > 0) this.#goneItems.removeFrom(this.splice, this.#openScope())
  }

  #endScope(): void {
    if (!this.#inScope) return
    this.#inScope = false
    if (!this.#staysInScope) this.#goneScopes.add(this.#scopes.at, this.#scopes.end)
    else if (this.#goneItems.count > 0) this.#goneItems.removeFrom(this.splice, this.#openScope())
  }

  #endResource(): void {
    if (!this.#inResource) return
    this.#inResource = false
    if (!this.#staysInResource) this.#goneResources.add(this.#resources.at, this.#resources.end)
    else if (this.#goneScopes.count > 0) this.#goneScopes.removeFrom(this.splice, this.#openResource())
  }

  #openResource(): number {
    const { lengthAt, start, end } = this.#resources
    if (this.#resourceFrame === NO_FRAME) this.#resourceFrame = this.splice.frame(ROOT, lengthAt, start, end)
    return this.#resourceFrame
  }

  #openScope(): number {
    const { lengthAt, start, end } = this.#scopes
    if (this.#scopeFrame === NO_FRAME) this.#scopeFrame = this.splice.frame(this.#openResource(), lengthAt, start, end)
    return this.#scopeFrame
  }
}
