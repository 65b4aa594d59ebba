// The end of series whose source is gone: a point each that says that no value was recorded, so that backends do not go on
// with the last one (OTLP: DataPointFlags, FLAG_NO_RECORDED_VALUE).

import { writeU32 } from '../wire/varint.ts'
import { METRIC_HEAD_BYTES, type Metric, writeMetricHead } from './naming.ts'
import type { Sheet } from './sheet.ts'
import type { OpenSeries } from './sources.ts'

/** NumberDataPoint: 19 time(8) | 40 01 flags */
const END_BYTES = 11

const UP = Buffer.from('manufacturing.device.up\0')
const STATUS = Buffer.from('manufacturing.machine.status\0')

const isNamed = ({ key }: Metric, name: Buffer): boolean => name.equals(key.subarray(0, name.length))

/**
 * What is said of a device rather than by it goes on: that it is down, and its state where somebody says that too. Of one that
 * just falls silent nobody knows the state.
 */
export const endsWithDevice =
  (isStatusSaid: boolean) =>
  (metric: Metric): boolean =>
    !isNamed(metric, UP) && !(isStatusSaid && isNamed(metric, STATUS))

/** `series` are the metrics with the attributes of their points. */
export function writeSeriesEnds(
  sheet: Sheet,
  resource: Uint8Array,
  series: Iterable<OpenSeries>,
  timeLow: number,
  timeHigh: number,
): void {
  for (const [metric, marks] of series) {
    sheet.open(resource)
    const pointBytes = END_BYTES + marks.length
    sheet.reserve(metric.head.length + METRIC_HEAD_BYTES + pointBytes)
    const { bytes } = sheet
    const at = writeMetricHead(bytes, sheet.to, metric, pointBytes)
    bytes[at] = 0x19
    writeU32(bytes, at + 1, timeLow)
    writeU32(bytes, at + 5, timeHigh)
    bytes[at + 9] = 0x40
    bytes[at + 10] = 1
    bytes.set(marks, at + END_BYTES)
    sheet.to = at + pointBytes
    sheet.items++
  }
}
