// What a series that is more than one number holds: the last point, or the sum of points with delta temporality. Read into
// arrays of its own, which stay when their lengths do.

import type { ExponentialHistogramPointView, SummaryPointView } from '../../otlp/metric.ts'
import { coarserBucket } from '../../prometheus/native-histogram.ts'
import { boundText, openMetricsBoundText } from '../../prometheus/number-text.ts'
import type { PointReader } from '../../prometheus/points.ts'

/** Bounds of buckets with their spelling; series of one metric share them. */
export class Bounds {
  readonly values: readonly number[]
  /** Where the count of each bound stands: ascending, each bound once. */
  readonly order: readonly number[]
  /** In that order. */
  readonly sorted: readonly number[]
  readonly texts: readonly string[]
  readonly openMetricsTexts: readonly string[]

  constructor(values: readonly number[]) {
    this.values = values
    const first = new Map<number, number>()
    values.forEach((value, index) => {
      if (!first.has(value)) first.set(value, index)
    })
    const sorted = [...first].filter(([value]) => value !== Infinity).sort(([a], [b]) => a - b)
    this.order = sorted.map(([, index]) => index)
    this.sorted = sorted.map(([value]) => value)
    this.texts = sorted.map(([value]) => boundText(value))
    this.openMetricsTexts = sorted.map(([value]) => openMetricsBoundText(value))
  }

  equals(values: readonly number[]): boolean {
    if (values.length !== this.values.length) return false
    for (let i = 0; i < values.length; i++) if (values[i] !== this.values[i]) return false
    return true
  }
}

const NO_BOUNDS = new Bounds([])
const zeroWhenAbsent = (value: number, has: boolean): number => (has ? value : 0)
const SUM = 5

type HistogramPoint = Pick<PointReader, 'count' | 'sum' | 'bucketCounts' | 'bounds'>

export class HistogramState {
  bounds = NO_BOUNDS
  counts: number[] = []
  count = 0
  sum = 0

  /** `known` are bounds that the point may share; returns those that it has. */
  set(point: HistogramPoint, known: Bounds | undefined): Bounds {
    const { bounds, bucketCounts } = point
    this.bounds = known?.equals(bounds) === true ? known : new Bounds([...bounds])
    if (this.counts.length > bucketCounts.length) this.counts.length = bucketCounts.length
    for (let i = 0; i < bucketCounts.length; i++) this.counts[i] = bucketCounts[i]!
    this.count = point.count
    this.sum = point.sum
    return this.bounds
  }

  /** Where the bounds differ, the newer one stands alone. */
  add(older: HistogramState): void {
    if (!older.bounds.equals(this.bounds.values)) return
    this.count += older.count
    this.sum += older.sum
    for (let i = 0; i < this.counts.length; i++) this.counts[i]! += older.counts[i] ?? 0
  }
}

export class SummaryState {
  count = 0
  sum = 0
  /** Quantile, value, quantile, value ... ascending, each once. */
  quantiles: number[] = []

  set(point: SummaryPointView): void {
    this.count = point.count()
    this.sum = point.sum()
    this.quantiles.length = 0
    point.quantiles(this.quantiles)
    for (let i = 2; i < this.quantiles.length; i += 2) {
      if (this.quantiles[i]! > this.quantiles[i - 2]!) continue
      const last = new Map<number, number>()
      for (let j = 0; j < this.quantiles.length; j += 2) last.set(this.quantiles[j]!, this.quantiles[j + 1]!)
      this.quantiles = [...last].sort(([a], [b]) => a - b).flat()
      return
    }
  }
}

export class ExponentialState {
  scale = 0
  count = 0
  sum = 0
  zeroCount = 0
  zeroThreshold = 0
  positiveOffset = 0
  negativeOffset = 0
  positive: number[] = []
  negative: number[] = []

  set(point: ExponentialHistogramPointView): void {
    this.scale = point.scale()
    this.count = point.count()
    this.sum = zeroWhenAbsent(point.sum(), point.has(SUM))
    this.zeroCount = point.zeroCount()
    this.zeroThreshold = point.zeroThreshold()
    this.positive.length = 0
    this.negative.length = 0
    this.positiveOffset = point.positive(this.positive)
    this.negativeOffset = point.negative(this.negative)
  }

  /** Whether its buckets hold as many as it says; a sum that is not a number has seen some that fall into none. */
  addsUp(): boolean {
    let total = this.zeroCount
    for (const count of this.positive) total += count
    for (const count of this.negative) total += count
    return Number.isNaN(this.sum) ? total <= this.count : total === this.count
  }

  /** Merges at the coarser scale and the wider zero bucket (OpenTelemetry, "Exponential Scale", "Zero Count"). */
  add(older: ExponentialState): void {
    let scale = Math.min(this.scale, older.scale)
    do {
      this.#coarsen(scale)
      older.#coarsen(scale)
      scale--
    } while (
      spanOf(this.positiveOffset, this.positive, older.positiveOffset, older.positive) > MERGED_BUCKETS_MAX ||
      spanOf(this.negativeOffset, this.negative, older.negativeOffset, older.negative) > MERGED_BUCKETS_MAX
    )
    const threshold = Math.max(this.zeroThreshold, older.zeroThreshold)
    this.#widenZero(threshold)
    older.#widenZero(threshold)
    ;[this.positiveOffset, this.positive] = merged(
      this.positiveOffset,
      this.positive,
      older.positiveOffset,
      older.positive,
    )
    ;[this.negativeOffset, this.negative] = merged(
      this.negativeOffset,
      this.negative,
      older.negativeOffset,
      older.negative,
    )
    this.zeroCount += older.zeroCount
    this.count += older.count
    this.sum += older.sum
  }

  #coarsen(scale: number): void {
    const shift = this.scale - scale
    if (shift <= 0) return
    ;[this.positiveOffset, this.positive] = coarser(this.positiveOffset, this.positive, shift)
    ;[this.negativeOffset, this.negative] = coarser(this.negativeOffset, this.negative, shift)
    this.scale = scale
  }

  #widenZero(threshold: number): void {
    if (threshold <= this.zeroThreshold) return
    // Bucket i ends at base^(i + 1), with base = 2^(2^-scale): below the threshold it is part of zero.
    const first = Math.floor(Math.log2(threshold) * 2 ** this.scale)
    for (const side of ['positive', 'negative'] as const) {
      const offset = this[`${side}Offset`]
      const swallowed = Math.max(0, Math.min(this[side].length, first - offset))
      for (let i = 0; i < swallowed; i++) this.zeroCount += this[side][i]!
      this[side] = this[side].slice(swallowed)
      this[`${side}Offset`] = offset + swallowed
    }
    this.zeroThreshold = threshold
  }
}

function coarser(offset: number, counts: readonly number[], shift: number): [offset: number, counts: number[]] {
  if (counts.length === 0) return [offset, []]
  const first = coarserBucket(offset, shift)
  const sums = new Array<number>(coarserBucket(offset + counts.length - 1, shift) - first + 1).fill(0)
  for (let i = 0; i < counts.length; i++) sums[coarserBucket(offset + i, shift) - first]! += counts[i]!
  return [first, sums]
}

/** Buckets that the sum of two histograms may have on a side; beyond it their scale becomes coarser. */
const MERGED_BUCKETS_MAX = 4096

function spanOf(
  offset: number,
  counts: { readonly length: number },
  otherOffset: number,
  other: { readonly length: number },
): number {
  if (counts.length === 0 || other.length === 0) return 0
  return Math.max(offset + counts.length, otherOffset + other.length) - Math.min(offset, otherOffset)
}

function merged(
  offset: number,
  counts: number[],
  otherOffset: number,
  other: readonly number[],
): [offset: number, counts: number[]] {
  if (other.length === 0) return [offset, counts]
  if (counts.length === 0) return [otherOffset, other.slice()]
  const first = Math.min(offset, otherOffset)
  const last = Math.max(offset + counts.length, otherOffset + other.length)
  const sums = new Array<number>(last - first).fill(0)
  for (let i = 0; i < counts.length; i++) sums[offset + i - first]! += counts[i]!
  for (let i = 0; i < other.length; i++) sums[otherOffset + i - first]! += other[i]!
  return [first, sums]
}

export type PointState = HistogramState | SummaryState | ExponentialState
