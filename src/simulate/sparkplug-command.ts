// The one command that an edge node of the plant obeys: NCMD with the metric `Node Control/Rebirth`, true.

import { PAYLOAD, PAYLOAD_METRIC } from '../sparkplug/fields.ts'
import { Cursor, MalformedBytes } from '../wire/cursor.ts'

export const REBIRTH = 'Node Control/Rebirth'

/** False too for bytes that are no payload. */
export function asksForRebirth(payload: Uint8Array): boolean {
  const metrics = new Cursor().reset(payload)
  const fields = new Cursor()
  try {
    while (metrics.next()) {
      if (metrics.field !== PAYLOAD.METRICS || metrics.wireType !== 2) continue
      let name = ''
      let isTrue = false
      for (fields.reset(payload, metrics.start, metrics.end); fields.next(); ) {
        if (fields.field === PAYLOAD_METRIC.NAME && fields.wireType === 2)
          name = Buffer.from(payload.subarray(fields.start, fields.end)).toString()
        if (fields.field === PAYLOAD_METRIC.BOOLEAN_VALUE && fields.wireType === 0) isTrue = payload[fields.start] !== 0
      }
      if (name === REBIRTH && isTrue) return true
    }
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error
  }
  return false
}
