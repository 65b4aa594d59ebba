// A metric of one resource and scope, as its points meet it, and the reasons for which points are not shown.

import type { Attribute, Label } from '../../prometheus/labels.ts'
import type { Family, Kind } from './series.ts'
import type { Bounds } from './states.ts'

export const DROPPED = {
  LABEL: 'label_name',
  NAME: 'metric_name',
  TYPE: 'type_conflict',
  TEMPORALITY: 'temporality',
  SERIES: 'max_series',
  OLD: 'older',
  MISALIGNED: 'misaligned',
  COUNTS: 'bucket_counts',
} as const
/** Why points are not shown. */
export type Dropped = (typeof DROPPED)[keyof typeof DROPPED]

/** A message on the way down to points; it goes when nothing is below it. */
export interface Node {
  children: number
}

export interface Stream extends Node {
  readonly family: Family
  readonly kind: Kind
  readonly isDelta: boolean
  /** Of everything above the point. */
  readonly labels: readonly Label[]
  /** Those that are labels. */
  readonly resourceAttributes: readonly Attribute[]
  /** Of the histogram that came last. */
  bounds: Bounds | undefined
}
