// `admin`: reloads the configuration over HTTP, and shows what runs.

import { defineExtension } from '../../graph/component.ts'
import { Admin } from './admin.ts'
import { config } from './config.ts'

export const factory = defineExtension({
  type: 'admin',
  summary: 'Reloads the configuration over HTTP, and shows what runs and what became of the last reload.',
  stability: 'beta',
  config,
  // The supervisor runs supervise.ts instead; a shard by itself has no configuration to read again.
  create(cfg, ctx) {
    const { startedAtMs } = ctx.shard
    return new Admin(cfg, {
      clock: ctx.clock,
      log: ctx.log,
      extension: (id) => ctx.extension(id),
      report: (status, error) => ctx.report(status, error),
      health: () => ({ ready: true, startedAtMs, shards: [] }),
      router: {
        reload: async () => ({ ok: false, problem: 'a shard by itself does not reload' }),
        config: async () => '',
      },
    })
  },
})
