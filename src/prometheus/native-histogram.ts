// Exponential histograms as Prometheus's native ones (Prometheus, "Native Histograms"; OpenTelemetry, "Prometheus and
// OpenMetrics compatibility", exponential histograms).
//
//   OpenTelemetry  bucket i holds (base^i, base^(i+1)], counts from an offset on
//   Prometheus     bucket i holds (base^(i-1), base^i], in spans of buckets that follow one another; each count is told as
//                  the difference to the one before it

/** The finest and the coarsest schema that Prometheus has; finer scales are made coarser. */
export const NATIVE_SCHEMA_MAX = 8
export const NATIVE_SCHEMA_MIN = -4
/** The zero bucket's width where a point names none: a histogram is native only when it is above 0. */
export const ZERO_THRESHOLD = 1e-128
/** Gaps up to this many buckets are cheaper filled than left. */
const GAP_MAX = 2

/** Reused by the next call. */
export interface NativeBuckets {
  /** Gap to the span before (or the first bucket's number), length, gap, length ... */
  readonly spans: number[]
  readonly deltas: number[]
}

/** How many times the buckets of that scale are halved in number. */
export const nativeShift = (scale: number): number => Math.max(0, scale - NATIVE_SCHEMA_MAX)

/** The bucket of a scale coarser by `shift` that holds bucket `index`; not by shifting, which would wrap at 32 bits. */
export const coarserBucket = (index: number, shift: number): number => Math.floor(index / 2 ** Math.min(shift, 64))

/** `counts` begin with bucket `offset`; with `shift`, 2^shift neighbours become one. */
export function nativeBuckets(
  offset: number,
  counts: ArrayLike<number>,
  shift: number,
  into: NativeBuckets,
): NativeBuckets {
  const { spans, deltas } = into
  spans.length = 0
  deltas.length = 0
  let before = 0
  let next = 0
  const append = (count: number): void => {
    spans[spans.length - 1]!++
    deltas.push(count - before)
    before = count
  }
  for (let i = 0; i < counts.length; ) {
    const bucket = coarserBucket(offset + i, shift) + 1
    let count = 0
    for (; i < counts.length && coarserBucket(offset + i, shift) + 1 === bucket; i++) count += counts[i]!
    if (count === 0) continue
    const gap = bucket - next
    if (spans.length === 0 || gap > GAP_MAX) spans.push(gap, 0)
    else for (let filled = 0; filled < gap; filled++) append(0)
    append(count)
    next = bucket + 1
  }
  return into
}
