// Goes through the spans or log records of one encoded request and says of each whether it stays, stays edited, or goes.
// Scopes and resources that nothing stays in go with their items.
//
//   const sift = new Sift()                       made once, reused
//   sift.open(part)
//   while (sift.next())                           the item: sift.bytes[sift.start, sift.end)
//     sift.keep() | sift.replace(...) | sift.edit(edits, count) | sift.drop()
//   sift.finish()                                 undefined when nothing stays; the same array when nothing changed
//
// What goes is not written down before something behind it stays: neighbours that go are one range, and a scope of which
// nothing stays is a range of its resource. So all edits come in ascending order, and the new bytes are written along.

import type { Words } from '../wire/copy.ts'
import { Cursor } from '../wire/cursor.ts'
import { Rewriter, ROOT } from '../wire/rewriter.ts'
import { Writer } from '../wire/writer.ts'
import { EXPORT_TRACE_SERVICE_REQUEST, RESOURCE_SPANS, SCOPE_SPANS } from './fields.ts'

// The same numbers in traces and logs (numbers.test.ts).
const RESOURCES = EXPORT_TRACE_SERVICE_REQUEST.RESOURCE_SPANS
const SCOPES = RESOURCE_SPANS.SCOPE_SPANS
const ITEMS = SCOPE_SPANS.SPANS
const ITEM_TAG = ITEMS * 8 + 2

// The messages that may have to be gone into: at most one of each is open.
const RESOURCE_FRAME = 0
const SCOPE_FRAME = 1

const NO_BYTES = new Writer().words

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
}

export class Sift {
  /** New bytes that edit() refers to, of the current item alone. */
  readonly added = new Writer()
  #bytes: Uint8Array = new Uint8Array(0)
  #words: DataView = new DataView(this.#bytes.buffer)
  readonly #rewriter = new Rewriter()
  /** Whether the rewriter has begun: something changed. */
  #rewrites = false
  readonly #resources = new Cursor()
  readonly #scopes = new Cursor()
  readonly #items = new Cursor()
  // The current item: tag, length, contents; and where the scope of it ends.
  #at = 0
  #lengthAt = 0
  #start = 0
  #end = 0
  #scopeEnd = 0
  readonly #goneResources = new Ranges()
  readonly #goneScopes = new Ranges()
  readonly #goneItems = new Ranges()
  // Whether the rewriter has gone into the current one.
  #openedResource = false
  #openedScope = false
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
    this.#rewrites = false
    this.#resources.reset(bytes)
    this.#scopes.reset(bytes, 0, 0)
    this.#end = 0
    this.#scopeEnd = 0
    this.#goneResources.count = 0
    this.#inResource = false
    this.#inScope = false
    this.#stays = false
    this.#dropped = 0
    return this
  }

  /** Moves to the next item, in whatever scope it is; false when there is none left. */
  next(): boolean {
    // The usual: another item follows, with a length of two bytes.
    const bytes = this.#bytes
    const at = this.#end
    if (at + 3 > this.#scopeEnd || bytes[at] !== ITEM_TAG) return this.#find()
    const low = bytes[at + 1]!
    const high = bytes[at + 2]!
    if (low < 0x80 || high > 0x7f) return this.#find()
    this.#at = at
    this.#lengthAt = at + 1
    this.#start = at + 3
    this.#end = at + 3 + (low & 0x7f) + high * 128
    return true
  }

  #find(): boolean {
    const items = this.#items.reset(this.#bytes, this.#end, this.#scopeEnd)
    while (!items.find(ITEMS)) {
      this.#endScope()
      while (!this.#scopes.find(SCOPES)) {
        this.#endResource()
        if (!this.#resources.find(RESOURCES)) return false
        this.#inResource = true
        this.#staysInResource = false
        this.#openedResource = false
        this.#goneScopes.count = 0
        this.#scopes.reset(this.#bytes, this.#resources.start, this.#resources.end)
      }
      this.#inScope = true
      this.#staysInScope = false
      this.#openedScope = false
      this.#goneItems.count = 0
      this.#scopeEnd = this.#scopes.end
      items.reset(this.#bytes, this.#scopes.start, this.#scopes.end)
    }
    this.#at = items.at
    this.#lengthAt = items.lengthAt
    this.#start = items.start
    this.#end = items.end
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
    return this.#start
  }

  get end(): number {
    return this.#end
  }

  keep(): void {
    if (!this.#staysInScope || this.#goneItems.count > 0) this.#stay()
  }

  /** Keeps it with `[from, to)` replaced by `source[newFrom, newTo)`. */
  replace(from: number, to: number, source: Words, newFrom: number, newTo: number): void {
    this.keep()
    this.#openScope()
    const rewriter = this.#rewriter
    rewriter.message(SCOPE_FRAME, this.#lengthAt, this.#start, this.#end, newTo - newFrom - (to - from))
    rewriter.put(from, to, source, newFrom, newTo)
  }

  /** Keeps it with edits in ascending order, four numbers each: `[from, to)` becomes `added[newFrom, newTo)`. */
  edit(edits: Int32Array, count: number): void {
    this.keep()
    this.#openScope()
    let growth = 0
    for (let i = 0; i < 4 * count; i += 4) growth += edits[i + 3]! - edits[i + 2]! - (edits[i + 1]! - edits[i]!)
    const rewriter = this.#rewriter
    const { words } = this.added
    rewriter.message(SCOPE_FRAME, this.#lengthAt, this.#start, this.#end, growth)
    for (let i = 0; i < 4 * count; i += 4) rewriter.put(edits[i]!, edits[i + 1]!, words, edits[i + 2]!, edits[i + 3]!)
    this.added.clear()
  }

  drop(): void {
    this.#dropped++
    this.#goneItems.add(this.#at, this.#end)
  }

  /** Items dropped since open(). */
  get dropped(): number {
    return this.#dropped
  }

  /** What stays. Call it when next() has said false. */
  finish(): Uint8Array | undefined {
    if (!this.#stays) return undefined
    this.#remove(this.#goneResources, ROOT)
    if (!this.#rewrites) return this.#bytes
    const rewritten = this.#rewriter.finish()
    if (rewritten === undefined) throw new Error('invariant: what is sifted is edited in ascending order')
    return rewritten
  }

  #stay(): void {
    if (!this.#staysInResource) {
      this.#remove(this.#goneResources, ROOT)
      this.#stays = true
      this.#staysInResource = true
    }
    if (!this.#staysInScope) {
      this.#removeScopes()
      this.#staysInScope = true
    }
    this.#removeItems()
  }

  #endScope(): void {
    if (!this.#inScope) return
    this.#inScope = false
    if (this.#staysInScope) this.#removeItems()
    else this.#goneScopes.add(this.#scopes.at, this.#scopes.end)
  }

  #endResource(): void {
    if (!this.#inResource) return
    this.#inResource = false
    if (this.#staysInResource) this.#removeScopes()
    else this.#goneResources.add(this.#resources.at, this.#resources.end)
  }

  #removeItems(): void {
    if (this.#goneItems.count === 0) return
    this.#openScope()
    this.#remove(this.#goneItems, SCOPE_FRAME)
  }

  #removeScopes(): void {
    if (this.#goneScopes.count === 0) return
    this.#openResource()
    this.#remove(this.#goneScopes, RESOURCE_FRAME)
  }

  #remove(gone: Ranges, frame: number): void {
    if (gone.count > 0) this.#begin()
    for (let i = 0; i < gone.count; i += 2)
      this.#rewriter.replace(frame, gone.numbers[i]!, gone.numbers[i + 1]!, NO_BYTES, 0, 0)
    gone.count = 0
  }

  #openResource(): void {
    if (this.#openedResource) return
    this.#openedResource = true
    this.#begin()
    const { lengthAt, start, end } = this.#resources
    this.#rewriter.enter(RESOURCE_FRAME, ROOT, lengthAt, start, end)
  }

  #openScope(): void {
    if (this.#openedScope) return
    this.#openedScope = true
    this.#openResource()
    const { lengthAt, start, end } = this.#scopes
    this.#rewriter.enter(SCOPE_FRAME, RESOURCE_FRAME, lengthAt, start, end)
  }

  #begin(): void {
    if (!this.#rewrites) this.#rewriter.begin(this.#bytes)
    this.#rewrites = true
  }
}
