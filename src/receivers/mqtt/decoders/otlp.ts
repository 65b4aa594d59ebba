// OTLP requests as payloads, protobuf or JSON, of one signal. They are checked as at any door and go on as they are: the
// topic adds nothing to them.

import { checkRequest, MalformedOtlp } from '../../../otlp/check.ts'
import { jsonToBytes } from '../../../otlp/json/index.ts'
import type { Signal } from '../../../otlp/signal.ts'
import { BadPayload } from '../../../readings/bad-payload.ts'
import { type Decoder, defineDecoder } from './decoder.ts'

const OPEN_BRACE = 0x7b

const otlp = (signal: Signal): Decoder =>
  defineDecoder({
    name: `otlp_${signal}`,
    summary: `An OTLP request of ${signal}, in protobuf or JSON.`,
    create: () => (message, out) => {
      const payload = message.bytes.slice(message.from, message.to)
      try {
        // No protobuf message of OTLP begins with an opening brace: it would be field 15 with a wire type that it never has.
        const bytes = payload[0] === OPEN_BRACE ? jsonToBytes(signal, payload) : payload
        out.request({ signal, bytes, items: checkRequest(signal, bytes) })
      } catch (error) {
        if (!(error instanceof MalformedOtlp)) throw error
        throw new BadPayload('not_otlp', error.message)
      }
    },
  })

export const otlpDecoders: readonly Decoder[] = (['metrics', 'logs', 'traces'] as const).map(otlp)
