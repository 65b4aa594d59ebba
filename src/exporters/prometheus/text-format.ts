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
import { boundText, openMetricsBoundText, openMetricsValueText, valueText } from '../../prometheus/number-text.ts'
import type { TextChunks } from './chunks.ts'
import { exemplarsByBucket, type ReadExemplar, readExemplar, secondsOf } from './exemplars.ts'
import type { Format, FormatOptions } from './format.ts'
import { type Family, KIND, type SeriesTable, TIME } from './series.ts'
import { type ExponentialState, HistogramState, type SummaryState } from './states.ts'

export class TextFormat implements Format {
  readonly contentType: string
  readonly #out: TextChunks
  readonly #series: SeriesTable
  readonly #openMetrics: boolean
  readonly #escaping: Escaping
  readonly #timestamps: boolean
  #name = ''
  #isPlain = true

  constructor(out: TextChunks, series: SeriesTable, options: FormatOptions & { readonly openMetrics?: string }) {
    this.#out = out
    this.#series = series
    this.#openMetrics = options.openMetrics !== undefined
    this.#escaping = options.escaping
    this.#timestamps = options.timestamps
    const type = this.#openMetrics
      ? `application/openmetrics-text; version=${options.openMetrics}`
      : 'text/plain; version=0.0.4'
    this.contentType = `${type}; charset=utf-8; escaping=${options.escaping}`
  }

  begin({ name, type, help }: Pick<Family, 'name' | 'type' | 'help'>): void {
    const escaped = escapeName(name, this.#escaping)
    const isTotal = this.#openMetrics && type === 'counter' && escaped.endsWith('_total')
    const short = spellName(isTotal ? escaped.slice(0, -'_total'.length) : escaped)
    const isUnknown = this.#openMetrics && (type === 'untyped' || (type === 'counter' && !isTotal))
    const head = `# HELP ${short} ${escapeHelp(help, this.#openMetrics)}\n# TYPE ${short} ${isUnknown ? 'unknown' : type}\n`
    this.#out.add(head, true)
    this.#name = escaped
    this.#isPlain = isPlainName(escaped)
  }

  /** A family of gauges that are all 1. */
  info(family: Pick<Family, 'name' | 'type' | 'help'>, texts: Iterable<string>): void {
    this.begin(family)
    for (const text of texts) {
      this.#sample('', this.#understood(text), true, '', '', this.#float(1))
      this.#out.add('\n')
    }
  }

  add(family: Family, slot: number): void {
    const series = this.#series
    switch (series.kindOf(slot)) {
      case KIND.NUMBER: {
        const exemplars = family.type === 'counter' ? series.exemplars[slot] : undefined
        this.#number(slot, exemplars === undefined ? undefined : readExemplar(exemplars.at(-1)!))
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
    if (this.#openMetrics) this.#out.add('# EOF\n')
  }

  #number(slot: number, exemplar: ReadExemplar | undefined): void {
    const value = this.#series.values[slot]!
    const text = this.#textOf(slot)
    const wide = this.#series.isWide(slot)
    if (this.#isPlain && text !== '') this.#out.add(`${this.#name}{${text}} ${this.#float(value)}`, wide)
    else this.#sample('', text, wide, '', '', this.#float(value))
    this.#rest(slot, exemplar)
  }

  #summary(slot: number, { count, sum, quantiles }: SummaryState): void {
    const text = this.#textOf(slot)
    const bound = this.#openMetrics ? openMetricsBoundText : boundText
    for (let i = 0; i < quantiles.length; i += 2)
      this.#line(slot, '', text, 'quantile', bound(quantiles[i]!), this.#float(quantiles[i + 1]!))
    this.#line(slot, '_sum', text, '', '', this.#float(sum))
    this.#line(slot, '_count', text, '', '', String(count))
  }

  #histogram(slot: number, state: HistogramState | ExponentialState): void {
    const text = this.#textOf(slot)
    let exemplar: ReadExemplar | undefined
    if (state instanceof HistogramState) {
      const { bounds, counts } = state
      const texts = this.#openMetrics ? bounds.openMetricsTexts : bounds.texts
      const sorted = bounds.order.map((index) => bounds.values[index]!)
      const exemplars = this.#openMetrics ? exemplarsByBucket(this.#series.exemplars[slot], sorted) : undefined
      let total = 0
      for (let i = 0; i < texts.length; i++) {
        total += counts[bounds.order[i]!] ?? 0
        this.#line(slot, '_bucket', text, 'le', texts[i]!, String(total), exemplars?.[i])
      }
      exemplar = exemplars?.[texts.length]
    }
    this.#line(slot, '_bucket', text, 'le', '+Inf', String(state.count), exemplar)
    this.#line(slot, '_sum', text, '', '', this.#float(state.sum))
    this.#line(slot, '_count', text, '', '', String(state.count))
  }

  #float(value: number): string {
    return this.#openMetrics ? openMetricsValueText(value) : valueText(value)
  }

  #textOf(slot: number): string {
    const text = this.#series.texts[slot]!
    return this.#series.isSpecial(slot) ? this.#understood(text) : text
  }

  #understood(text: string): string {
    return this.#escaping !== 'allow-utf-8' && HAS_QUOTED_NAME.test(text) ? escapeLabelText(text, this.#escaping) : text
  }

  #line(
    slot: number,
    suffix: string,
    text: string,
    label: string,
    bound: string,
    value: string,
    exemplar?: ReadExemplar | undefined,
  ): void {
    this.#sample(suffix, text, this.#series.isWide(slot), label, bound, value)
    this.#rest(slot, exemplar)
  }

  /** Up to the value. */
  #sample(suffix: string, text: string, wide: boolean, label: string, bound: string, value: string): void {
    const name = this.#name + suffix
    const inside = this.#isPlain ? '' : quoted(name)
    const labels = [inside, text, label === '' ? '' : `${label}="${bound}"`].filter((part) => part !== '').join(',')
    const braces = labels === '' ? '' : `{${labels}}`
    this.#out.add(`${this.#isPlain ? name : ''}${braces} ${value}`, wide || !this.#isPlain)
  }

  /** What stands behind a value. */
  #rest(slot: number, exemplar: ReadExemplar | undefined): void {
    const out = this.#out
    if (this.#timestamps) {
      const at = slot * 4
      const { seconds, nanos } = secondsOf(this.#series.times[at + TIME.LOW]!, this.#series.times[at + TIME.HIGH]!)
      const ms = seconds * 1000 + Math.floor(nanos / 1e6)
      out.add(` ${this.#openMetrics ? openMetricsValueText(ms / 1000) : ms}`)
    }
    if (this.#openMetrics && exemplar !== undefined && exemplar.labels.length > 0) {
      const labels = exemplar.labels.map(([name, value]) => `${name}="${value}"`).join(',')
      const time = openMetricsValueText(exemplar.seconds + exemplar.nanos / 1e9)
      out.add(` # {${labels}} ${openMetricsValueText(exemplar.value)} ${time}`)
    }
    out.add('\n')
  }
}
