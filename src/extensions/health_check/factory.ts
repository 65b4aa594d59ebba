// `health_check`: tells load balancers and Kubernetes whether the router is able to work.

import { defineExtension } from '../../graph/component.ts'
import { withoutSupervisor } from '../../graph/supervised.ts'
import { config } from './config.ts'
import { supervise } from './supervise.ts'

export const factory = defineExtension({
  type: 'health_check',
  summary: 'Answers over HTTP whether the router is able to work.',
  stability: 'beta',
  config,
  create(cfg, ctx) {
    let ready = false
    const check = supervise(
      cfg,
      withoutSupervisor(ctx, () => ready),
    )
    return {
      start: () => check.start?.(),
      stop: (deadline) => check.stop?.(deadline),
      pipelinesStarted: () => {
        ready = true
      },
      pipelinesStopping: () => {
        ready = false
      },
    }
  },
})
