// One span, read in place. Reused: reset() moves it to the next span; nothing is allocated but by `to*`.

import { Cursor } from '../wire/cursor.ts'
import { FieldIndex } from '../wire/field-index.ts'
import { readU32, varintLow } from '../wire/varint.ts'
import { SPAN, SPAN_EVENT, SPAN_LINK, STATUS } from './fields.ts'

export class SpanView extends FieldIndex {
  readonly #cursor = new Cursor()
  readonly #inner = new Cursor()
  #statusAt = -1
  #statusCode = 0
  #messageStart = 0
  #messageEnd = 0

  constructor() {
    super(SPAN.wireType)
  }

  /** Where the 16 bytes of the trace id are; 0 when it is absent or empty. */
  traceIdAt(): number {
    return this.contentsAt(SPAN.TRACE_ID)
  }

  /** Where the 8 bytes of the span id are; 0 when it is absent or empty. */
  spanIdAt(): number {
    return this.contentsAt(SPAN.SPAN_ID)
  }

  /** Where the 8 bytes of the parent's id are; 0 for a root span: absent, empty or all zero. */
  parentSpanIdAt(): number {
    const at = this.contentsAt(SPAN.PARENT_SPAN_ID)
    return at === 0 || (readU32(this.bytes, at) === 0 && readU32(this.bytes, at + 4) === 0) ? 0 : at
  }

  toName(): string {
    return this.text(SPAN.NAME)
  }

  /** SpanKind, 0 when absent. */
  kind(): number {
    return this.uint32(SPAN.KIND)
  }

  /** W3C trace flags and the two is-remote bits, 0 when absent. */
  flags(): number {
    return this.fixed32(SPAN.FLAGS)
  }

  /** Milliseconds since 1970 in whole milliseconds and fractions; NaN when absent. Exact to about 0.3 µs. */
  startMs(): number {
    return this.has(SPAN.START_TIME_UNIX_NANO) ? this.fixed64(SPAN.START_TIME_UNIX_NANO) / 1e6 : Number.NaN
  }

  endMs(): number {
    return this.has(SPAN.END_TIME_UNIX_NANO) ? this.fixed64(SPAN.END_TIME_UNIX_NANO) / 1e6 : Number.NaN
  }

  /** End minus start in milliseconds; NaN when either time is absent. Nanosecond-exact below 104 days. */
  durationMs(): number {
    return this.fixed64Difference(SPAN.END_TIME_UNIX_NANO, SPAN.START_TIME_UNIX_NANO) / 1e6
  }

  /** StatusCode: 0 unset (also when absent), 1 ok, 2 error. */
  statusCode(): number {
    this.#readStatus()
    return this.#statusCode
  }

  /** The status message's bytes; equal when there is none. */
  statusMessageStart(): number {
    this.#readStatus()
    return this.#messageStart
  }

  statusMessageEnd(): number {
    this.#readStatus()
    return this.#messageEnd
  }

  /** A cursor over the events, to be read with EventView: `while (events.find(SPAN.EVENTS))`. Reused. */
  events(): Cursor {
    return this.#cursor.reset(this.bytes, this.start, this.end)
  }

  override reset(bytes: Uint8Array, start: number, end: number): this {
    this.#statusAt = -1
    return super.reset(bytes, start, end)
  }

  #readStatus(): void {
    if (this.#statusAt === this.start) return
    this.#statusAt = this.start
    this.#statusCode = 0
    this.#messageStart = 0
    this.#messageEnd = 0
    if (!this.has(SPAN.STATUS)) return
    if (!this.isRepeated(SPAN.STATUS)) this.#mergeStatus(this.from(SPAN.STATUS), this.to(SPAN.STATUS))
    else
      for (const c = this.#cursor.reset(this.bytes, this.start, this.end); c.find(SPAN.STATUS); )
        this.#mergeStatus(c.start, c.end)
  }

  #mergeStatus(start: number, end: number): void {
    const { bytes } = this
    // The usual status is empty, or a code alone.
    if (start === end) return
    if (end - start === 2 && bytes[start] === 24) {
      this.#statusCode = bytes[start + 1]!
      return
    }
    for (const c = this.#inner.reset(bytes, start, end); c.next(); ) {
      if (STATUS.wireType[c.field] !== c.wireType) continue
      if (c.field === STATUS.CODE) this.#statusCode = varintLow(bytes, c.start)
      else if (c.field === STATUS.MESSAGE) {
        this.#messageStart = c.start
        this.#messageEnd = c.end
      }
    }
  }
}

/** An event of a span. */
export class EventView extends FieldIndex {
  constructor() {
    super(SPAN_EVENT.wireType)
  }

  toName(): string {
    return this.text(SPAN_EVENT.NAME)
  }

  /** Milliseconds since 1970, NaN when absent. */
  timeMs(): number {
    return this.has(SPAN_EVENT.TIME_UNIX_NANO) ? this.fixed64(SPAN_EVENT.TIME_UNIX_NANO) / 1e6 : Number.NaN
  }
}

/** A link of a span. */
export class LinkView extends FieldIndex {
  constructor() {
    super(SPAN_LINK.wireType)
  }

  /** Where the 16 bytes of the trace id are; 0 when it is absent or empty. */
  traceIdAt(): number {
    return this.contentsAt(SPAN_LINK.TRACE_ID)
  }

  /** Where the 8 bytes of the span id are; 0 when it is absent or empty. */
  spanIdAt(): number {
    return this.contentsAt(SPAN_LINK.SPAN_ID)
  }
}
