import { defineConnector } from '../../graph/component.ts'
import { SIGNALS } from '../../otlp/signal.ts'
import { config } from './config.ts'

export const factory = defineConnector({
  type: 'forward',
  summary: 'Joins pipelines of one signal: what one exports, the others receive as it is.',
  stability: 'beta',
  pairs: SIGNALS.map((signal) => ({ from: signal, to: signal })),
  config,
  create: () => ({
    process(batch, out) {
      out.send(batch)
    },
  }),
})
