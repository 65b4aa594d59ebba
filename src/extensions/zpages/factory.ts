// `zpages`: a look into a running router with nothing but a browser.

import { defineExtension } from '../../graph/component.ts'
import { withoutSupervisor } from '../../graph/supervised.ts'
import { config } from './config.ts'
import { supervise } from './supervise.ts'

export const factory = defineExtension({
  type: 'zpages',
  summary: 'Shows the shards, pipelines, components and their status as pages.',
  stability: 'beta',
  config,
  create: (cfg, ctx) => supervise(cfg, withoutSupervisor(ctx)),
})
