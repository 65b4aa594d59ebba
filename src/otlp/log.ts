// One log record, read in place. Reused: reset() moves it to the next record; nothing is allocated but by `to*`.

import { Cursor } from '../wire/cursor.ts'
import { FieldIndex } from '../wire/field-index.ts'
import { Writer } from '../wire/writer.ts'
import { LOG_RECORD } from './fields.ts'
import { ValueView } from './value.ts'

export class LogView extends FieldIndex {
  readonly #body = new ValueView()

  constructor() {
    super(LOG_RECORD.wireType)
  }

  /** The body; of type EMPTY when absent. One view, reused. */
  body(): ValueView {
    if (!this.isRepeated(LOG_RECORD.BODY))
      return this.#body.reset(this.bytes, this.from(LOG_RECORD.BODY), this.to(LOG_RECORD.BODY))
    const merged = new Writer()
    for (const c = new Cursor().reset(this.bytes, this.start, this.end); c.find(LOG_RECORD.BODY); )
      merged.copy(c.bytes, c.start, c.end)
    return this.#body.reset(merged.toBytes(), 0, merged.length)
  }

  /** SeverityNumber, 0 when absent. */
  severityNumber(): number {
    return this.uint32(LOG_RECORD.SEVERITY_NUMBER)
  }

  toSeverityText(): string {
    return this.text(LOG_RECORD.SEVERITY_TEXT)
  }

  toEventName(): string {
    return this.text(LOG_RECORD.EVENT_NAME)
  }

  /** Milliseconds since 1970, NaN when absent. Exact to about 0.3 µs. */
  timeMs(): number {
    return this.has(LOG_RECORD.TIME_UNIX_NANO) ? this.fixed64(LOG_RECORD.TIME_UNIX_NANO) / 1e6 : Number.NaN
  }

  observedMs(): number {
    const field = LOG_RECORD.OBSERVED_TIME_UNIX_NANO
    return this.has(field) ? this.fixed64(field) / 1e6 : Number.NaN
  }

  /** Where the 16 bytes of the trace id are; 0 when it is absent or empty. */
  traceIdAt(): number {
    return this.contentsAt(LOG_RECORD.TRACE_ID)
  }

  /** Where the 8 bytes of the span id are; 0 when it is absent or empty. */
  spanIdAt(): number {
    return this.contentsAt(LOG_RECORD.SPAN_ID)
  }

  flags(): number {
    return this.fixed32(LOG_RECORD.FLAGS)
  }
}
