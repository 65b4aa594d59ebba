import { defineReceiver } from '../../graph/component.ts'
import { SIGNALS } from '../../otlp/signal.ts'
import { config } from './config.ts'

export const factory = defineReceiver({
  type: 'nop',
  summary: 'Receives nothing: the receiver of a pipeline that is fed by nobody.',
  stability: 'beta',
  signals: SIGNALS,
  config,
  create: () => ({}),
})
