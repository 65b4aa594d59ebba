// `pprof`: shows where processor time and memory go.

import { defineExtension } from '../../graph/component.ts'
import { withoutSupervisor } from '../../graph/supervised.ts'
import { config } from './config.ts'
import { supervise } from './supervise.ts'

export const factory = defineExtension({
  type: 'pprof',
  summary: 'Takes profiles of processor time and memory of a running router, of each of its shards.',
  stability: 'beta',
  config,
  create: (cfg, ctx) => supervise(cfg, withoutSupervisor(ctx)),
})
