// `zpages`: a look into a running shard with nothing but a browser.

import { defineExtension } from '../../graph/component.ts'
import { config } from './config.ts'
import { Zpages } from './zpages.ts'

export const factory = defineExtension({
  type: 'zpages',
  summary: 'Shows pipelines, components and their status as pages.',
  stability: 'beta',
  config,
  create: (cfg, ctx) => new Zpages(cfg, ctx),
})
