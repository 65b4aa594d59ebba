// Bodies of `_bulk` requests: two lines for each document, what to do and the document itself, and where each begins.
//
//   {"create":{"_index":"logs-generic.otel-default"}}\n
//   {"@timestamp":"1767225600000.000000","body":{"text":"..."},...}\n

import { CHAR } from '../../otlp/json/text.ts'
import type { Piece } from '../../wire/piece.ts'
import { DocumentText } from './document-text.ts'

const LINE_BREAK = 10
const FIRST_NUMBERS = 1024
/** Room that a body gets at first, for each byte of telemetry that it is made of. */
const GROWTH = 3
/** The last document of a body may reach beyond its bound. */
const MARGIN = 64 * 1024
/** Arrays of bodies that were delivered, kept for the next ones: how many, and how large one may be. */
const MAX_SPARES = 4
const SPARE_MAX_BYTES = 8 * 1024 * 1024

export class BulkBody {
  readonly bytes: Uint8Array
  /** Of document `i`: `bytes[starts[i], starts[i + 1])`, both lines. */
  readonly starts: Int32Array
  /** Of document `i`: how many items it stands for; 0 for what is written beside them. */
  readonly items: Int32Array
  /** Documents that were refused before, so that nothing is written about them again. */
  readonly isDeadLetters: boolean

  constructor(bytes: Uint8Array, starts: Int32Array, items: Int32Array, isDeadLetters = false) {
    this.bytes = bytes
    this.starts = starts
    this.items = items
    this.isDeadLetters = isDeadLetters
  }

  get documents(): number {
    return this.items.length
  }

  /** The first line of document `i` without what it has of a document. */
  action(i: number): string {
    const end = this.bytes.indexOf(LINE_BREAK, this.starts[i]!)
    return Buffer.from(this.bytes.subarray(this.starts[i]!, end)).toString()
  }

  document(i: number): string {
    const start = this.bytes.indexOf(LINE_BREAK, this.starts[i]!) + 1
    return Buffer.from(this.bytes.subarray(start, this.starts[i + 1]! - 1)).toString()
  }

  /** Where document `i` was to go. */
  index(i: number): string {
    const line = JSON.parse(this.action(i)) as { readonly create: { readonly _index: string } }
    return line.create._index
  }

  /** The same in two bodies. */
  halves(): BulkBody[] {
    const all = [...this.items.keys()]
    const middle = all.length >> 1
    return [this.subset(all.slice(0, middle)), this.subset(all.slice(middle))]
  }

  /** The same documents with other first lines. */
  withActions(change: (line: string) => string): BulkBody {
    const lines: Uint8Array[] = []
    const starts = new Int32Array(this.starts.length)
    for (let i = 0; i < this.documents; i++) {
      const line = Buffer.from(`${change(this.action(i))}\n${this.document(i)}\n`)
      lines.push(line)
      starts[i + 1] = starts[i]! + line.length
    }
    return new BulkBody(Buffer.concat(lines), starts, this.items, this.isDeadLetters)
  }

  /** A body of these documents alone. */
  subset(documents: readonly number[]): BulkBody {
    const { bytes, starts, items } = this
    const parts = documents.map((i) => bytes.subarray(starts[i]!, starts[i + 1]!))
    const newStarts = new Int32Array(documents.length + 1)
    parts.forEach((part, i) => {
      newStarts[i + 1] = newStarts[i]! + part.length
    })
    return new BulkBody(
      Buffer.concat(parts),
      newStarts,
      Int32Array.from(documents, (i) => items[i]!),
      this.isDeadLetters,
    )
  }
}

/** Writes documents one after the other, and gives a body whenever one is as large as it may be. */
export class BulkWriter {
  readonly text = new DocumentText()
  readonly #maxBytes: number
  #starts = new Int32Array(FIRST_NUMBERS)
  #items = new Int32Array(FIRST_NUMBERS)
  #documents = 0
  #room = 0
  #ready: BulkBody[] = []
  readonly #spares: Uint8Array<ArrayBuffer>[] = []
  readonly #wholes = new WeakMap<BulkBody, Uint8Array<ArrayBuffer>>()

  /** 0: bodies of any size. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Before the documents of that much telemetry. */
  begin(telemetryBytes: number): void {
    this.#ready = []
    this.#documents = 0
    const room = telemetryBytes * GROWTH
    this.#room = this.#maxBytes > 0 ? Math.min(room, this.#maxBytes + MARGIN) : room
  }

  /** Behind the action and the opening brace of a document whose index is `action`. */
  open(action: Piece): void {
    if (this.#documents + 1 >= this.#starts.length) this.#grow()
    if (this.#documents === 0) this.text.begin(this.#room, this.#spares.pop())
    this.#starts[this.#documents] = this.text.length
    this.text.piece(action)
  }

  /** The line of what to do ends here, and the document begins. */
  openDocument(): void {
    this.text.ascii('}}\n{')
  }

  /** Takes back the document that was opened last. */
  drop(): void {
    this.text.cut(this.#starts[this.#documents]!)
  }

  close(items: number): void {
    this.text.put(CHAR.CLOSE_BRACE)
    this.closeLine(items)
  }

  /** The document has its closing brace. */
  closeLine(items: number): void {
    this.text.put(LINE_BREAK)
    this.#items[this.#documents++] = items
    if (this.#maxBytes > 0 && this.text.length >= this.#maxBytes) this.#finish()
  }

  /** Takes the array of a body that nobody reads any more; bodies made of other ones have none. */
  recycle(body: BulkBody): void {
    const whole = this.#wholes.get(body)
    if (whole === undefined || whole.length > SPARE_MAX_BYTES || this.#spares.length === MAX_SPARES) return
    this.#wholes.delete(body)
    this.#spares.push(whole)
  }

  /** All bodies since begin(). */
  take(): BulkBody[] {
    if (this.#documents > 0) this.#finish()
    const ready = this.#ready
    this.#ready = []
    return ready
  }

  #finish(): void {
    const count = this.#documents
    this.#starts[count] = this.text.length
    const whole = this.text.bytes
    const body = new BulkBody(this.text.take(), this.#starts.slice(0, count + 1), this.#items.slice(0, count))
    this.#wholes.set(body, whole)
    this.#ready.push(body)
    this.#documents = 0
  }

  #grow(): void {
    const starts = new Int32Array(this.#starts.length * 2)
    starts.set(this.#starts)
    this.#starts = starts
    const items = new Int32Array(this.#items.length * 2)
    items.set(this.#items)
    this.#items = items
  }
}
