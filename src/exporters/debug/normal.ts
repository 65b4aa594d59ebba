// `verbosity: normal`: about one line per item, under a line per resource and scope (reference 4.3).

import type { Signal } from '../../otlp/signal.ts'
import { fixed, shortest, valueText } from './go-text.ts'
import type { Message } from './message.ts'

export function normalText(signal: Signal, request: Message): string {
  const lines: string[] = []
  const { resources, resource, scopes, scope, items, item } = LAYOUT[signal]
  request.children(resources).forEach((entry, i) => {
    const schemaUrl = entry.text('schemaUrl')
    const details = schemaUrl === '' ? '' : ` [${schemaUrl}]`
    lines.push(`${resource} #${i}${details}${spaced(attributes(entry.child('resource')))}`)
    entry.children(scopes).forEach((inner, j) => {
      lines.push(`${scope} #${j}${scopeDetails(inner)}${spaced(attributes(inner.child('scope')))}`)
      for (const each of inner.children(items)) lines.push(...item(each, request))
    })
  })
  return lines.map((line) => `${line}\n`).join('')
}

interface Layout {
  readonly resources: string
  readonly resource: string
  readonly scopes: string
  readonly scope: string
  readonly items: string
  item(item: Message, request: Message): string[]
}

const LAYOUT: Readonly<Record<Signal, Layout>> = {
  traces: {
    resources: 'resourceSpans',
    resource: 'ResourceTraces',
    scopes: 'scopeSpans',
    scope: 'ScopeTraces',
    items: 'spans',
    item: (span) => [`${span.text('name')} ${span.text('traceId')} ${span.text('spanId')}${spaced(attributes(span))}`],
  },
  metrics: {
    resources: 'resourceMetrics',
    resource: 'ResourceMetrics',
    scopes: 'scopeMetrics',
    scope: 'ScopeMetrics',
    items: 'metrics',
    item: metricLines,
  },
  logs: {
    resources: 'resourceLogs',
    resource: 'ResourceLog',
    scopes: 'scopeLogs',
    scope: 'ScopeLog',
    items: 'logRecords',
    item: (record) => [`${valueText(record.child('body'))} ${attributes(record).join(' ')}`],
  },
  profiles: {
    resources: 'resourceProfiles',
    resource: 'ResourceProfiles',
    scopes: 'scopeProfiles',
    scope: 'ScopeProfiles',
    items: 'profiles',
    item: (profile, request) => {
      const own = profileAttributes(profile.numbers('attributeIndices'), request.child('dictionary'))
      const words = own.map(({ key, value }) => `${key}=${valueText(value)}`)
      return [`${profile.text('profileId')} samples=${profile.children('samples').length}${spaced(words)}`]
    },
  },
}

const attributes = (owner: Message): string[] =>
  owner.children('attributes').map((each) => `${each.text('key')}=${valueText(each.child('value'))}`)

const spaced = (words: readonly string[]): string => words.map((word) => ` ${word}`).join('')

function scopeDetails(entry: Message): string {
  const scope = entry.child('scope')
  const version = scope.text('version')
  const schemaUrl = entry.text('schemaUrl')
  const name = `${scope.text('name')}${version === '' ? '' : `@${version}`}`
  return spaced([name, schemaUrl === '' ? '' : `[${schemaUrl}]`].filter((word) => word !== ''))
}

/** A profile refers to attributes by their place in the request's dictionary. */
export function profileAttributes(
  indices: readonly number[],
  dictionary: Message,
): { readonly key: string; readonly value: Message }[] {
  const table = dictionary.children('attributeTable')
  const strings = dictionary.texts('stringTable')
  return indices.flatMap((index) => {
    const found = table[index]
    return found === undefined ? [] : [{ key: strings[found.number('keyStrindex')] ?? '', value: found.child('value') }]
  })
}

const KINDS_OF_DATA: Readonly<Record<string, (point: Message) => string>> = {
  gauge: numberText,
  sum: numberText,
  histogram: histogramText,
  exponentialHistogram: exponentialHistogramText,
  summary: summaryText,
}

function metricLines(metric: Message): string[] {
  const [kind, text] = Object.entries(KINDS_OF_DATA).find(([name]) => metric.has(name)) ?? []
  if (kind === undefined || text === undefined) return []
  const name = metric.text('name')
  return metric
    .child(kind)
    .children('dataPoints')
    .map((point) => `${name}{${attributes(point).join(',')}} ${text(point)}`)
}

function numberText(point: Message): string {
  if (point.has('asInt')) return point.digits('asInt')
  return point.has('asDouble') ? shortest(point.number('asDouble')) : ''
}

const countSumMinMax = (point: Message): string[] => [
  `count=${point.digits('count')}`,
  ...['sum', 'min', 'max'].filter((name) => point.has(name)).map((name) => `${name}=${shortest(point.number(name))}`),
]

function histogramText(point: Message): string {
  const bounds = point.numbers('explicitBounds')
  const buckets = point
    .texts('bucketCounts')
    .map((count, i) => (i < bounds.length ? `le${shortest(bounds[i]!)}=${count}` : count))
  return [...countSumMinMax(point), ...buckets].join(' ')
}

function exponentialHistogramText(point: Message): string {
  const base = 2 ** (2 ** -point.number('scale'))
  const buckets = ['negative', 'positive'].flatMap((name) => {
    const side = point.child(name)
    const offset = side.number('offset')
    return side.texts('bucketCounts').map((count, i) => `le${shortest(base ** (offset + i))}=${count}`)
  })
  const zeros = point.digits('zeroCount')
  const zero = zeros === '0' ? [] : [`zero_count${shortest(point.number('zeroThreshold'))}=${zeros}`]
  return [...countSumMinMax(point), ...buckets, ...zero].join(' ')
}

function summaryText(point: Message): string {
  const quantiles = point
    .children('quantileValues')
    .map((each) => `q${shortest(each.number('quantile'))}=${shortest(each.number('value'))}`)
  return [`count=${point.digits('count')}`, `sum=${fixed(point.number('sum'))}`, ...quantiles].join(' ')
}
