// The end of series whose source is gone: a point each that says that no value was recorded, so that backends do not go on
// with the last one (OTLP: DataPointFlags, FLAG_NO_RECORDED_VALUE).

import { writeU32 } from '../wire/varint.ts'
import { METRIC_HEAD_BYTES, type Metric, writeMetricHead } from './naming.ts'
import type { Sheet } from './sheet.ts'

/** NumberDataPoint: 19 time(8) | 40 01 flags */
const END_BYTES = 11

/** What is said of a device rather than by it goes on: that it is down. */
const OF_DEVICE = ['manufacturing.device.up', 'manufacturing.machine.status'].map((name) => Buffer.from(`${name}\0`))

const isOfDevice = ({ key }: Metric): boolean => OF_DEVICE.some((name) => name.equals(key.subarray(0, name.length)))

/** `series` are the metrics with the attributes of their points. */
export function writeSeriesEnds(
  sheet: Sheet,
  resource: Uint8Array,
  series: ReadonlyMap<Metric, Uint8Array>,
  timeLow: number,
  timeHigh: number,
): void {
  for (const [metric, marks] of series) {
    if (isOfDevice(metric)) continue
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
