// `admin`: reloads the configuration over HTTP, and shows what runs.

import { defineExtension } from '../../graph/component.ts'
import { withoutSupervisor } from '../../graph/supervised.ts'
import { config } from './config.ts'
import { supervise } from './supervise.ts'

export const factory = defineExtension({
  type: 'admin',
  summary: 'Reloads the configuration over HTTP, and shows what runs and what became of the last reload.',
  stability: 'beta',
  config,
  create: (cfg, ctx) => supervise(cfg, withoutSupervisor(ctx)),
})
