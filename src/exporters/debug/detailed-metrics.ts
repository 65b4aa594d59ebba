// The detailed text of one metric: its descriptor, then its points by kind.

import { fixed, timestamp } from './go-text.ts'
import { attributes, type Lines } from './lines.ts'
import type { Message } from './message.ts'

interface Kind {
  readonly field: string
  readonly name: string
  readonly points: string
  point(lines: Lines, point: Message): void
}

const KINDS: readonly Kind[] = [
  { field: 'gauge', name: 'Gauge', points: 'NumberDataPoints', point: number },
  { field: 'sum', name: 'Sum', points: 'NumberDataPoints', point: number },
  { field: 'histogram', name: 'Histogram', points: 'HistogramDataPoints', point: histogram },
  {
    field: 'exponentialHistogram',
    name: 'ExponentialHistogram',
    points: 'ExponentialHistogramDataPoints',
    point: exponentialHistogram,
  },
  { field: 'summary', name: 'Summary', points: 'SummaryDataPoints', point: summary },
]

const TEMPORALITIES = ['Unspecified', 'Delta', 'Cumulative']

export function dataPoints(lines: Lines, metric: Message): void {
  const kind = KINDS.find(({ field }) => metric.has(field))
  lines.push(
    'Descriptor:',
    `     -> Name: ${metric.text('name')}`,
    `     -> Description: ${metric.text('description')}`,
    `     -> Unit: ${metric.text('unit')}`,
    `     -> DataType: ${kind?.name ?? 'Empty'}`,
  )
  attributes(lines, '     -> Metadata', metric, 'metadata')
  if (kind === undefined) return
  const data = metric.child(kind.field)
  if (kind.field === 'sum') lines.push(`     -> IsMonotonic: ${data.flag('isMonotonic')}`)
  if (kind.field !== 'gauge' && kind.field !== 'summary') {
    lines.push(`     -> AggregationTemporality: ${TEMPORALITIES[data.number('aggregationTemporality')] ?? ''}`)
  }
  data.children('dataPoints').forEach((point, i) => {
    lines.push(`${kind.points} #${i}`)
    attributes(lines, 'Data point attributes', point)
    lines.push(
      `StartTimestamp: ${timestamp(point.digits('startTimeUnixNano'))}`,
      `Timestamp: ${timestamp(point.digits('timeUnixNano'))}`,
    )
    kind.point(lines, point)
    exemplars(lines, point.children('exemplars'))
  })
}

function number(lines: Lines, point: Message): void {
  if (point.has('asInt')) lines.push(`Value: ${point.digits('asInt')}`)
  else if (point.has('asDouble')) lines.push(`Value: ${fixed(point.number('asDouble'))}`)
}

function countSumMinMax(lines: Lines, point: Message): void {
  lines.push(`Count: ${point.digits('count')}`)
  if (point.has('sum')) lines.push(`Sum: ${fixed(point.number('sum'))}`)
  if (point.has('min')) lines.push(`Min: ${fixed(point.number('min'))}`)
  if (point.has('max')) lines.push(`Max: ${fixed(point.number('max'))}`)
}

function histogram(lines: Lines, point: Message): void {
  countSumMinMax(lines, point)
  point.numbers('explicitBounds').forEach((bound, i) => {
    lines.push(`ExplicitBounds #${i}: ${fixed(bound)}`)
  })
  point.texts('bucketCounts').forEach((count, i) => {
    lines.push(`Buckets #${i}, Count: ${count}`)
  })
}

function exponentialHistogram(lines: Lines, point: Message): void {
  countSumMinMax(lines, point)
  // The bounds are powers of 2^(2^-scale), by way of the natural logarithm as the Collector reckons them.
  const factor = Math.LN2 * 2 ** -point.number('scale')
  const bound = (index: number): number => Math.exp(index * factor)
  const [negative, positive] = [point.child('negative'), point.child('positive')]
  const negativeCounts = negative.texts('bucketCounts')
  for (let i = negativeCounts.length - 1; i >= 0; i--) {
    const index = negative.number('offset') + i
    lines.push(`Bucket [${fixed(-bound(index + 1))}, ${fixed(-bound(index))}), Count: ${negativeCounts[i]}`)
  }
  if (point.digits('zeroCount') !== '0') lines.push(`Bucket [0, 0], Count: ${point.digits('zeroCount')}`)
  positive.texts('bucketCounts').forEach((count, i) => {
    const index = positive.number('offset') + i
    lines.push(`Bucket (${fixed(bound(index))}, ${fixed(bound(index + 1))}], Count: ${count}`)
  })
}

function summary(lines: Lines, point: Message): void {
  lines.push(`Count: ${point.digits('count')}`, `Sum: ${fixed(point.number('sum'))}`)
  point.children('quantileValues').forEach((each, i) => {
    const quantile = fixed(each.number('quantile'))
    lines.push(`QuantileValue #${i}: Quantile ${quantile}, Value ${fixed(each.number('value'))}`)
  })
}

function exemplars(lines: Lines, exemplars: readonly Message[]): void {
  if (exemplars.length > 0) lines.push('Exemplars:')
  exemplars.forEach((exemplar, i) => {
    lines.push(
      `Exemplar #${i}`,
      `     -> Trace ID: ${exemplar.text('traceId')}`,
      `     -> Span ID: ${exemplar.text('spanId')}`,
      `     -> Timestamp: ${timestamp(exemplar.digits('timeUnixNano'))}`,
    )
    if (exemplar.has('asInt')) lines.push(`     -> Value: ${exemplar.digits('asInt')}`)
    else if (exemplar.has('asDouble')) lines.push(`     -> Value: ${fixed(exemplar.number('asDouble'))}`)
    attributes(lines, '     -> FilteredAttributes', exemplar, 'filteredAttributes')
  })
}
