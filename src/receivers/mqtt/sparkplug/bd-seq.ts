// The number of a session, which a birth and the death that belongs to it have in common.

import { PAYLOAD_METRIC } from '../../../sparkplug/fields.ts'
import { MetricView } from '../../../sparkplug/metric-view.ts'
import type { PayloadView } from '../../../sparkplug/payload-view.ts'
import { equalBytes, varintUnsigned } from '../../../wire/varint.ts'

export const BD_SEQ = new Uint8Array(Buffer.from('bdSeq'))

/** -1: the payload has none. */
export function findBdSeq(payload: PayloadView): number {
  const view = new MetricView()
  for (payload.rewind(); payload.next(); ) {
    view.read(payload.bytes, payload.from, payload.to)
    if (!equalBytes(view.bytes, view.nameFrom, view.nameTo, BD_SEQ)) continue
    if (view.valueField === PAYLOAD_METRIC.LONG_VALUE || view.valueField === PAYLOAD_METRIC.INT_VALUE)
      return varintUnsigned(view.bytes, view.valueFrom)
  }
  return -1
}
