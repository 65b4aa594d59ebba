// The time that a payload names: a number by its magnitude, a text by ISO 8601.

import { BadPayload } from '../../readings/bad-payload.ts'
import type { EventTimes } from './decoders/decoder.ts'

export const eventTimes: EventTimes = {
  number(value, out) {
    if (!(value >= 0) || value >= 1e20) throw new BadPayload('bad_time', `${value} is no time`)
    if (value < 1e11) out.atMillis(value * 1e3)
    else if (value < 1e14) out.atMillis(value)
    else if (value < 1e17) out.atMillis(value / 1e3)
    else out.atMillis(value / 1e6)
  },
  text(bytes, from, to, out) {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
    const ms = Date.parse(text)
    if (!(ms >= 0)) throw new BadPayload('bad_time', 'a text that is no ISO 8601 time')
    out.atMillis(ms)
  },
}
