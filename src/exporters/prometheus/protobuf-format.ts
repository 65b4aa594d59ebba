// Prometheus's protobuf exposition: a MetricFamily after the other, each behind its length. The only one in which a native
// histogram is whole.

import { TIMESTAMP } from '../../otlp/fields.ts'
import { type Escaping, escapeName, readLabelText } from '../../prometheus/escape.ts'
import {
  BUCKET,
  BUCKET_SPAN,
  COUNTER,
  EXEMPLAR,
  GAUGE,
  HISTOGRAM,
  LABEL_PAIR,
  METRIC,
  METRIC_FAMILY,
  METRIC_TYPE,
  QUANTILE,
  SUMMARY,
} from '../../prometheus/fields.ts'
import {
  NATIVE_SCHEMA_MAX,
  NATIVE_SCHEMA_MIN,
  type NativeBuckets,
  nativeBuckets,
  nativeShift,
  ZERO_THRESHOLD,
} from '../../prometheus/native-histogram.ts'
import { varintSize, writeVarint } from '../../wire/varint.ts'
import { Writer } from '../../wire/writer.ts'
import type { Chunks } from './chunks.ts'
import { exemplarsByBucket, type ReadExemplar, readExemplar, secondsOf } from './exemplars.ts'
import type { FamilyHead, Format, FormatOptions } from './format.ts'
import { type Family, type FamilyType, KIND, type SeriesTable, TIME } from './series.ts'
import type { ExponentialState, HistogramState, SummaryState } from './states.ts'

const TYPES: Readonly<Record<FamilyType, number>> = {
  counter: METRIC_TYPE.values.COUNTER,
  gauge: METRIC_TYPE.values.GAUGE,
  summary: METRIC_TYPE.values.SUMMARY,
  untyped: METRIC_TYPE.values.UNTYPED,
  histogram: METRIC_TYPE.values.HISTOGRAM,
}

/** A number's field in Metric; the value is field 1 of all three. */
const VALUE_FIELD: Readonly<Partial<Record<FamilyType, number>>> = {
  counter: METRIC.COUNTER,
  gauge: METRIC.GAUGE,
  untyped: METRIC.UNTYPED,
}

const QUOTE = 0x22
const EQUALS = 0x3d

export class ProtobufFormat implements Format {
  readonly contentType: string
  readonly #out: Chunks
  readonly #series: SeriesTable
  readonly #escaping: Escaping
  readonly #timestamps: boolean
  /** A family stands behind its length, so it waits here until it is whole. */
  readonly #family: Chunks
  // A message is written when what is in it has been.
  readonly #labels = new Writer()
  readonly #data = new Writer()
  readonly #part = new Writer()
  readonly #detail = new Writer()
  readonly #grain = new Writer()
  readonly #buckets: NativeBuckets = { spans: [], deltas: [] }
  #text = Buffer.alloc(1024)

  constructor(out: Chunks, family: Chunks, series: SeriesTable, options: FormatOptions) {
    this.#out = out
    this.#family = family
    this.#series = series
    this.#escaping = options.escaping
    this.#timestamps = options.timestamps
    const type = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited'
    this.contentType = `${type}; escaping=${options.escaping}`
  }

  get written(): number {
    return this.#out.written + this.#family.length
  }

  begin({ name, type, help }: FamilyHead): void {
    const w = this.#data.clear()
    text(w, METRIC_FAMILY.NAME, escapeName(name, this.#escaping))
    text(w, METRIC_FAMILY.HELP, help)
    w.tag(METRIC_FAMILY.TYPE, 0).varint(TYPES[type])
    this.#family.copy(w.bytes, 0, w.length)
  }

  addInfo(labels: string): void {
    this.#data.clear().tag(GAUGE.VALUE, 1).f64(1)
    this.#metric(this.#spelled(labels), METRIC.GAUGE, -1)
  }

  add(family: Family, slot: number): void {
    const series = this.#series
    const kind = series.kindOf(slot)
    this.#data.clear()
    let field: number = METRIC.HISTOGRAM
    if (kind === KIND.NUMBER) {
      field = VALUE_FIELD[family.type]!
      this.#number(family, slot)
    } else if (kind === KIND.SUMMARY) {
      field = METRIC.SUMMARY
      this.#summary(slot, series.states[slot] as SummaryState)
    } else if (kind === KIND.HISTOGRAM) this.#histogram(slot, series.states[slot] as HistogramState)
    else this.#native(slot, series.states[slot] as ExponentialState)
    this.#metric(series.isSpecial(slot) ? this.#spelled(series.texts[slot]!) : this.#packed(slot), field, slot)
  }

  end(): void {
    this.#out.varint(this.#family.length)
    this.#family.moveTo(this.#out)
  }

  close(): void {}

  drop(): void {
    this.#family.drop()
  }

  /** A Metric with its labels, a letter for each byte, and what is in #data. */
  #metric(labels: string, field: number, slot: number): void {
    const data = this.#data
    let timeMs = -1
    if (this.#timestamps && slot >= 0) {
      const { times } = this.#series
      const { seconds, nanos } = secondsOf(times[slot * 4 + TIME.LOW]!, times[slot * 4 + TIME.HIGH]!)
      timeMs = seconds * 1000 + Math.floor(nanos / 1e6)
    }
    const timeBytes = timeMs < 0 ? 0 : 1 + varintSize(timeMs)
    const length = labels.length + 1 + varintSize(data.length) + data.length + timeBytes
    const out = this.#family
    out.room(length + 8)
    const { bytes } = out
    let at = out.at
    bytes[at++] = METRIC_FAMILY.METRIC * 8 + 2
    at = writeVarint(bytes, at, length)
    at += bytes.write(labels, at, 'latin1')
    bytes[at++] = field * 8 + 2
    at = writeVarint(bytes, at, data.length)
    const contents = data.bytes
    for (let i = 0; i < data.length; i++) bytes[at++] = contents[i]!
    if (timeMs >= 0) {
      bytes[at++] = METRIC.TIMESTAMP_MS * 8
      at = writeVarint(bytes, at, timeMs)
    }
    out.at = at
  }

  #number(family: Family, slot: number): void {
    this.#data.tag(GAUGE.VALUE, 1).f64(this.#series.values[slot]!)
    if (family.type !== 'counter') return
    const exemplars = this.#series.exemplars[slot]
    if (exemplars !== undefined) this.#exemplar(this.#data, COUNTER.EXEMPLAR, readExemplar(exemplars.at(-1)!))
    this.#startTime(slot, COUNTER.START_TIMESTAMP)
  }

  #summary(slot: number, { count, sum, quantiles }: SummaryState): void {
    const w = this.#data
    w.tag(SUMMARY.SAMPLE_COUNT, 0).varint(count).tag(SUMMARY.SAMPLE_SUM, 1).f64(sum)
    for (let i = 0; i < quantiles.length; i += 2) {
      this.#part
        .clear()
        .tag(QUANTILE.QUANTILE, 1)
        .f64(quantiles[i]!)
        .tag(QUANTILE.VALUE, 1)
        .f64(quantiles[i + 1]!)
      message(w, SUMMARY.QUANTILE, this.#part)
    }
    this.#startTime(slot, SUMMARY.START_TIMESTAMP)
  }

  #histogram(slot: number, { bounds, counts, count, sum }: HistogramState): void {
    const w = this.#data
    w.tag(HISTOGRAM.SAMPLE_COUNT, 0).varint(count).tag(HISTOGRAM.SAMPLE_SUM, 1).f64(sum)
    const { sorted } = bounds
    const exemplars = exemplarsByBucket(this.#series.exemplars[slot], sorted)
    let total = 0
    for (let i = 0; i < sorted.length; i++) {
      total += counts[bounds.order[i]!] ?? 0
      this.#bucket(total, sorted[i]!, exemplars?.[i])
    }
    const last = exemplars?.[sorted.length]
    // A scraper adds the bucket up to infinity itself, unless there is more to say of it; without it nothing says what this is.
    if (last !== undefined || sorted.length === 0) this.#bucket(count, Infinity, last)
    this.#startTime(slot, HISTOGRAM.START_TIMESTAMP)
  }

  #bucket(total: number, bound: number, exemplar: ReadExemplar | undefined): void {
    const part = this.#part.clear()
    part.tag(BUCKET.CUMULATIVE_COUNT, 0).varint(total).tag(BUCKET.UPPER_BOUND, 1).f64(bound)
    if (exemplar !== undefined) this.#exemplar(part, BUCKET.EXEMPLAR, exemplar)
    message(this.#data, HISTOGRAM.BUCKET, part)
  }

  #native(slot: number, state: ExponentialState): void {
    const w = this.#data
    w.tag(HISTOGRAM.SAMPLE_COUNT, 0).varint(state.count).tag(HISTOGRAM.SAMPLE_SUM, 1).f64(state.sum)
    if (state.scale >= NATIVE_SCHEMA_MIN) {
      const shift = nativeShift(state.scale)
      w.tag(HISTOGRAM.SCHEMA, 0).varint(zigzag(Math.min(state.scale, NATIVE_SCHEMA_MAX)))
      w.tag(HISTOGRAM.ZERO_THRESHOLD, 1).f64(state.zeroThreshold || ZERO_THRESHOLD)
      w.tag(HISTOGRAM.ZERO_COUNT, 0).varint(state.zeroCount)
      this.#side(HISTOGRAM.NEGATIVE_SPAN, HISTOGRAM.NEGATIVE_DELTA, state.negativeOffset, state.negative, shift)
      this.#side(HISTOGRAM.POSITIVE_SPAN, HISTOGRAM.POSITIVE_DELTA, state.positiveOffset, state.positive, shift)
      for (const bytes of this.#series.exemplars[slot] ?? []) {
        const exemplar = readExemplar(bytes)
        if (exemplar.labels.length > 0) this.#exemplar(w, HISTOGRAM.EXEMPLARS, exemplar)
      }
    }
    this.#startTime(slot, HISTOGRAM.START_TIMESTAMP)
  }

  #side(spanField: number, deltaField: number, offset: number, counts: readonly number[], shift: number): void {
    const { spans, deltas } = nativeBuckets(offset, counts, shift, this.#buckets)
    for (let i = 0; i < spans.length; i += 2) {
      const span = this.#part.clear().tag(BUCKET_SPAN.OFFSET, 0).varint(zigzag(spans[i]!))
      message(this.#data, spanField, span.tag(BUCKET_SPAN.LENGTH, 0).varint(spans[i + 1]!))
    }
    if (deltas.length === 0) return
    this.#part.clear()
    for (const delta of deltas) this.#part.varint(zigzag(delta))
    message(this.#data, deltaField, this.#part)
  }

  #exemplar(into: Writer, field: number, exemplar: ReadExemplar): void {
    const detail = this.#detail.clear()
    for (const [name, value] of exemplar.labels) {
      const pair = this.#grain.clear()
      text(pair, LABEL_PAIR.NAME, name)
      text(pair, LABEL_PAIR.VALUE, value)
      message(detail, EXEMPLAR.LABEL, pair)
    }
    detail.tag(EXEMPLAR.VALUE, 1).f64(exemplar.value)
    time(this.#grain.clear(), exemplar.seconds, exemplar.nanos)
    message(detail, EXEMPLAR.TIMESTAMP, this.#grain)
    message(into, field, detail)
  }

  /** From the first second of 1970 on: before it, nobody has said. */
  #startTime(slot: number, field: number): void {
    const { times } = this.#series
    const { seconds, nanos } = secondsOf(times[slot * 4 + TIME.START_LOW]!, times[slot * 4 + TIME.START_HIGH]!)
    if (seconds <= 0) return
    time(this.#part.clear(), seconds, nanos)
    message(this.#data, field, this.#part)
  }

  /** Its labels, a letter for each byte; kept for the next scrape. */
  #packed(slot: number): string {
    const { packedTexts, texts } = this.#series
    const known = packedTexts[slot]
    if (known !== undefined) return known
    this.#copyLabels(texts[slot]!)
    const packed = lettersOf(this.#labels)
    packedTexts[slot] = packed
    return packed
  }

  /** The same for names or values in other letters, which not every reader takes. */
  #spelled(labels: string): string {
    this.#labels.clear()
    for (const [name, value] of readLabelText(labels)) {
      const part = this.#part.clear()
      text(part, LABEL_PAIR.NAME, escapeName(name, this.#escaping))
      text(part, LABEL_PAIR.VALUE, value)
      message(this.#labels, METRIC.LABEL, part)
    }
    return lettersOf(this.#labels)
  }

  /** Nothing in it is escaped or quoted: name="value",name="value" */
  #copyLabels(labels: string): void {
    if (this.#text.length < labels.length * 3) this.#text = Buffer.alloc(labels.length * 6)
    const source = this.#text
    const end = source.write(labels, 0, 'utf8')
    // A label is longer here by the six bytes of tags and lengths, or as many as a long one's lengths need.
    const target = this.#labels.clear().reserve(end * 4 + 16)
    let q = 0
    for (let p = 0; p < end; p += 2) {
      const name = p
      let to = q + 4
      for (let byte = source[p]!; byte !== EQUALS; byte = source[++p]!) target[to++] = byte
      const nameLength = p - name
      p += 2
      const value = p
      to += 2
      for (let byte = source[p]!; byte !== QUOTE; byte = source[++p]!) target[to++] = byte
      const length = to - q - 2
      if (length > 0x7f) {
        this.#labels.length = q
        this.#longLabel(source, name, name + nameLength, value, p)
        q = this.#labels.length
        continue
      }
      target[q] = METRIC.LABEL * 8 + 2
      target[q + 1] = length
      target[q + 2] = LABEL_PAIR.NAME * 8 + 2
      target[q + 3] = nameLength
      target[q + 4 + nameLength] = LABEL_PAIR.VALUE * 8 + 2
      target[q + 5 + nameLength] = p - value
      q = to
    }
    this.#labels.length = q
  }

  #longLabel(source: Uint8Array, name: number, nameEnd: number, value: number, valueEnd: number): void {
    const part = this.#part.clear()
    part.field(LABEL_PAIR.NAME, source, name, nameEnd).field(LABEL_PAIR.VALUE, source, value, valueEnd)
    message(this.#labels, METRIC.LABEL, part)
  }
}

const lettersOf = ({ bytes, length }: Writer): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1')

const message = (into: Writer, field: number, contents: Writer): void => {
  into.field(field, contents.bytes, 0, contents.length)
}

const text = (into: Writer, field: number, words: string): void => {
  into.field(field, Buffer.from(words))
}

const time = (into: Writer, seconds: number, nanos: number): void => {
  into.tag(TIMESTAMP.SECONDS, 0).varint(seconds).tag(TIMESTAMP.NANOS, 0).varint(nanos)
}

const zigzag = (value: number): number => (value < 0 ? -value * 2 - 1 : value * 2)
