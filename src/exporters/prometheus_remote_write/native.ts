// An exponential histogram as a native one: the fields of Histogram, the same in both versions, but for its times.
//
//   count_int 1 | sum 3 | schema 4 | zero_threshold 5 | zero_count_int 6
//   | negative_spans 8 | negative_deltas 9 | positive_spans 11 | positive_deltas 12
//   a span is { offset 1 | length 2 }

import type { ExponentialHistogramPointView } from '../../otlp/metric.ts'
import {
  NATIVE_SCHEMA_MAX,
  NATIVE_SCHEMA_MIN,
  type NativeBuckets,
  nativeBuckets,
  nativeShift,
  ZERO_THRESHOLD,
} from '../../prometheus/native-histogram.ts'
import { BUCKET_SPAN, HISTOGRAM } from '../../prometheus/remote-write-fields.ts'
import { varintSize } from '../../wire/varint.ts'
import { Writer } from '../../wire/writer.ts'

/** A count and a sum that say that the series ends: the NaN for that, as a varint and as eight bytes. */
const END = Uint8Array.of(
  ...[HISTOGRAM.COUNT_INT * 8, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0xf8, 0x7f],
  ...[HISTOGRAM.SUM * 8 + 1, 2, 0, 0, 0, 0, 0, 0xf0, 0x7f],
)

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value)

export class NativeWriter {
  /** What write() has made; valid until the next one. */
  readonly out = new Writer()
  readonly #counts: number[] = []
  readonly #buckets: NativeBuckets = { spans: [], deltas: [] }

  /** False where Prometheus has no buckets that coarse. */
  write(point: ExponentialHistogramPointView, ends: boolean): boolean {
    const out = this.out.clear()
    if (ends) {
      out.copy(END)
      return true
    }
    const scale = point.scale()
    if (scale < NATIVE_SCHEMA_MIN) return false
    const shift = nativeShift(scale)
    const sum = point.sum()
    out.tag(HISTOGRAM.COUNT_INT, 0).varint(point.count())
    if (!Number.isNaN(sum)) out.tag(HISTOGRAM.SUM, 1).f64(sum)
    out.tag(HISTOGRAM.SCHEMA, 0).varint(zigzag(Math.min(scale, NATIVE_SCHEMA_MAX)))
    out.tag(HISTOGRAM.ZERO_THRESHOLD, 1).f64(point.zeroThreshold() || ZERO_THRESHOLD)
    out.tag(HISTOGRAM.ZERO_COUNT_INT, 0).varint(point.zeroCount())
    this.#counts.length = 0
    const negative = point.negative(this.#counts)
    this.#side(negative, shift, HISTOGRAM.NEGATIVE_SPANS, HISTOGRAM.NEGATIVE_DELTAS)
    this.#counts.length = 0
    const positive = point.positive(this.#counts)
    this.#side(positive, shift, HISTOGRAM.POSITIVE_SPANS, HISTOGRAM.POSITIVE_DELTAS)
    return true
  }

  #side(offset: number, shift: number, spansField: number, deltasField: number): void {
    const { spans, deltas } = nativeBuckets(offset, this.#counts, shift, this.#buckets)
    const { out } = this
    for (let i = 0; i < spans.length; i += 2) {
      const gap = zigzag(spans[i]!)
      out.tag(spansField, 2).varint(2 + varintSize(gap) + varintSize(spans[i + 1]!))
      out.tag(BUCKET_SPAN.OFFSET, 0).varint(gap)
      out.tag(BUCKET_SPAN.LENGTH, 0).varint(spans[i + 1]!)
    }
    if (deltas.length === 0) return
    let size = 0
    for (const delta of deltas) size += varintSize(zigzag(delta))
    out.tag(deltasField, 2).varint(size)
    for (const delta of deltas) out.varint(zigzag(delta))
  }
}
