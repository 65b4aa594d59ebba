import { defineConnector } from '../../graph/component.ts'
import { config } from './config.ts'
import { FailoverConnector } from './failover.ts'

const SIGNALS = ['traces', 'metrics', 'logs'] as const

export const factory = defineConnector({
  type: 'failover',
  summary:
    'Sends to the first of several levels of pipelines that takes the data, and goes back when a better one does.',
  stability: 'beta',
  pairs: SIGNALS.map((signal) => ({ from: signal, to: signal })),
  config,
  create: (cfg, context) => new FailoverConnector(cfg, context),
})
