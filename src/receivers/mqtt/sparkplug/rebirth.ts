// The command that asks an edge node for its births.

import { PAYLOAD, PAYLOAD_METRIC } from '../../../sparkplug/fields.ts'
import { TYPE } from '../../../sparkplug/numbers.ts'
import { Writer } from '../../../wire/writer.ts'

/** Of NCMD: it has a time and no seq. */
export function rebirthCommand(nowMs: number): Uint8Array {
  const metric = new Writer()
    .field(PAYLOAD_METRIC.NAME, Buffer.from('Node Control/Rebirth'))
    .tag(PAYLOAD_METRIC.TIMESTAMP, 0)
    .varint(nowMs)
    .tag(PAYLOAD_METRIC.DATATYPE, 0)
    .varint(TYPE.Boolean)
    .tag(PAYLOAD_METRIC.BOOLEAN_VALUE, 0)
    .varint(1)
    .toBytes()
  return new Writer().tag(PAYLOAD.TIMESTAMP, 0).varint(nowMs).field(PAYLOAD.METRICS, metric).toBytes()
}
