// Prometheus's text format 0.0.4, and OpenMetrics 1.0 where it differs: floats that look like floats, times in seconds, a
// counter's family without `_total`, exemplars, an end.
//
//   # HELP name text
//   # TYPE name type
//   name{labels} value [time] [# {trace_id="..."} value time]

import {
  type Escaping,
  escapeHelp,
  escapeLabelText,
  escapeName,
  HAS_QUOTED_NAME,
  isPlainName,
  quoted,
  spellName,
} from '../../prometheus/escape.ts'
import { NUMBER_MAX_BYTES, writeOpenMetricsValue, writeValue } from '../../prometheus/number-bytes.ts'
import { boundText, openMetricsBoundText } from '../../prometheus/number-text.ts'
import type { Chunks } from './chunks.ts'
import { exemplarsByBucket, type ReadExemplar, readExemplar, secondsOf } from './exemplars.ts'
import type { FamilyHead, Format, FormatOptions } from './format.ts'
import { type Family, KIND, type SeriesTable, TIME } from './series.ts'
import { type ExponentialState, HistogramState, type SummaryState } from './states.ts'

const BRACE = 0x7d
const BLANK = 0x20
const NEW_LINE = 0x0a
type Suffix = '' | '_bucket' | '_sum' | '_count'

/** How a line begins. */
interface LineHead {
  /** Where labels follow: up to the first of them. */
  readonly open: Uint8Array
  /** Where none do: up to the blank in front of the value. */
  readonly bare: string
}

export class TextFormat implements Format {
  readonly contentType: string
  readonly #out: Chunks
  readonly #series: SeriesTable
  readonly #openMetrics: boolean
  readonly #escaping: Escaping
  readonly #timestamps: boolean
  readonly #writeFloat: typeof writeValue
  #heads = lineHeads('')

  constructor(out: Chunks, series: SeriesTable, options: FormatOptions & { readonly openMetrics?: string }) {
    this.#out = out
    this.#series = series
    this.#openMetrics = options.openMetrics !== undefined
    this.#escaping = options.escaping
    this.#timestamps = options.timestamps
    this.#writeFloat = this.#openMetrics ? writeOpenMetricsValue : writeValue
    const type = this.#openMetrics
      ? `application/openmetrics-text; version=${options.openMetrics}`
      : 'text/plain; version=0.0.4'
    this.contentType = `${type}; charset=utf-8; escaping=${options.escaping}`
  }

  get written(): number {
    return this.#out.written
  }

  begin({ name, type, help }: FamilyHead): void {
    const escaped = escapeName(name, this.#escaping)
    const isTotal = this.#openMetrics && type === 'counter' && escaped.endsWith('_total')
    const short = spellName(isTotal ? escaped.slice(0, -'_total'.length) : escaped)
    const isUnknown = this.#openMetrics && (type === 'untyped' || (type === 'counter' && !isTotal))
    this.#out.text(
      `# HELP ${short} ${escapeHelp(help, this.#openMetrics)}\n# TYPE ${short} ${isUnknown ? 'unknown' : type}\n`,
    )
    this.#heads = lineHeads(escaped)
  }

  addInfo(labels: string): void {
    this.#sample('', this.#understood(labels))
    this.#float(1)
    this.#out.byte(NEW_LINE)
  }

  add(family: Family, slot: number): void {
    const series = this.#series
    switch (series.kindOf(slot)) {
      case KIND.NUMBER: {
        this.#sample('', this.#textOf(slot))
        this.#float(series.values[slot]!)
        const exemplars = family.type === 'counter' ? series.exemplars[slot] : undefined
        this.#endLine(slot, exemplars === undefined ? undefined : readExemplar(exemplars.at(-1)!))
        return
      }
      case KIND.SUMMARY:
        this.#summary(slot, series.states[slot] as SummaryState)
        return
      default:
        this.#histogram(slot, series.states[slot] as HistogramState | ExponentialState)
    }
  }

  end(): void {}

  close(): void {
    if (this.#openMetrics) this.#out.text('# EOF\n')
  }

  drop(): void {}

  #summary(slot: number, { count, sum, quantiles }: SummaryState): void {
    const text = this.#textOf(slot)
    const bound = this.#openMetrics ? openMetricsBoundText : boundText
    for (let i = 0; i < quantiles.length; i += 2) {
      this.#sample('', text, 'quantile', bound(quantiles[i]!))
      this.#float(quantiles[i + 1]!)
      this.#endLine(slot)
    }
    this.#sumAndCount(slot, text, sum, count)
  }

  #histogram(slot: number, state: HistogramState | ExponentialState): void {
    const text = this.#textOf(slot)
    let exemplar: ReadExemplar | undefined
    if (state instanceof HistogramState) {
      const { bounds, counts } = state
      const texts = this.#openMetrics ? bounds.openMetricsTexts : bounds.texts
      const exemplars = this.#openMetrics ? exemplarsByBucket(this.#series.exemplars[slot], bounds.sorted) : undefined
      let total = 0
      for (let i = 0; i < texts.length; i++) {
        total += counts[bounds.order[i]!] ?? 0
        this.#bucket(slot, text, texts[i]!, total, exemplars?.[i])
      }
      exemplar = exemplars?.[texts.length]
    }
    this.#bucket(slot, text, '+Inf', state.count, exemplar)
    this.#sumAndCount(slot, text, state.sum, state.count)
  }

  #bucket(slot: number, text: string, bound: string, total: number, exemplar: ReadExemplar | undefined): void {
    this.#sample('_bucket', text, 'le', bound)
    this.#count(total)
    this.#endLine(slot, exemplar)
  }

  #sumAndCount(slot: number, text: string, sum: number, count: number): void {
    this.#sample('_sum', text)
    this.#float(sum)
    this.#endLine(slot)
    this.#sample('_count', text)
    this.#count(count)
    this.#endLine(slot)
  }

  #textOf(slot: number): string {
    const text = this.#series.texts[slot]!
    return this.#series.isSpecial(slot) ? this.#understood(text) : text
  }

  #understood(text: string): string {
    return this.#escaping !== 'allow-utf-8' && HAS_QUOTED_NAME.test(text) ? escapeLabelText(text, this.#escaping) : text
  }

  /** Up to the value; `label` and `bound` are of the sample's own. */
  #sample(suffix: Suffix, text: string, label = '', bound = ''): void {
    const out = this.#out
    const head = this.#heads[suffix]
    if (text === '' && label === '') {
      out.text(head.bare)
      return
    }
    out.copy(head.open, 0, head.open.length)
    out.text(text)
    if (label !== '') out.text(text === '' ? `${label}="${bound}"` : `,${label}="${bound}"`)
    out.room(2)
    out.bytes[out.at++] = BRACE
    out.bytes[out.at++] = BLANK
  }

  #float(value: number): void {
    const out = this.#out
    out.room(NUMBER_MAX_BYTES)
    out.at = this.#writeFloat(out.bytes, out.at, value)
  }

  #count(value: number): void {
    const out = this.#out
    out.room(NUMBER_MAX_BYTES)
    out.at = writeValue(out.bytes, out.at, value)
  }

  /** What stands behind a value. */
  #endLine(slot: number, exemplar?: ReadExemplar): void {
    const out = this.#out
    if (this.#timestamps) {
      const at = slot * 4
      const { seconds, nanos } = secondsOf(this.#series.times[at + TIME.LOW]!, this.#series.times[at + TIME.HIGH]!)
      const ms = seconds * 1000 + Math.floor(nanos / 1e6)
      out.byte(BLANK)
      this.#float(this.#openMetrics ? ms / 1000 : ms)
    }
    if (this.#openMetrics && exemplar !== undefined && exemplar.labels.length > 0) {
      out.text(` # {${exemplar.labels.map(([name, value]) => `${name}="${value}"`).join(',')}} `)
      this.#float(exemplar.value)
      out.byte(BLANK)
      this.#float(exemplar.seconds + exemplar.nanos / 1e9)
    }
    out.byte(NEW_LINE)
  }
}

/** A name that is not in the old letters stands in quotes, among the labels. */
function lineHeads(name: string): Readonly<Record<Suffix, LineHead>> {
  const headOf = (suffix: Suffix): LineHead => {
    const whole = name + suffix
    const isPlain = isPlainName(name)
    const open = Buffer.from(isPlain ? `${whole}{` : `{${quoted(whole)},`)
    return { open, bare: isPlain ? `${whole} ` : `{${quoted(whole)}} ` }
  }
  return { '': headOf(''), _bucket: headOf('_bucket'), _sum: headOf('_sum'), _count: headOf('_count') }
}
