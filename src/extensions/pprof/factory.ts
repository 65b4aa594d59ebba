// `pprof`: shows where a shard's processor time and memory go.

import { defineExtension } from '../../graph/component.ts'
import { config } from './config.ts'
import { Pprof } from './pprof.ts'

export const factory = defineExtension({
  type: 'pprof',
  summary: 'Takes profiles of processor time and memory of a running shard.',
  stability: 'beta',
  config,
  create: (cfg, ctx) => new Pprof(cfg, ctx),
})
