// `health_check`: tells load balancers and Kubernetes whether the router is able to work.

import { defineExtension, type Extension, type ExtensionContext } from '../../graph/component.ts'
import type { Health } from '../../graph/supervised.ts'
import { config, type HealthCheckConfig } from './config.ts'
import { HealthCheck } from './health-check.ts'

export const factory = defineExtension({
  type: 'health_check',
  summary: 'Answers over HTTP whether the router is able to work.',
  stability: 'beta',
  config,
  create: (cfg, ctx) => answerForShard(cfg, ctx),
})

/** The supervisor runs supervise.ts instead; a shard by itself answers for itself. */
function answerForShard(cfg: HealthCheckConfig, ctx: ExtensionContext): Extension {
  let ready = false
  const health = (): Health => ({
    ready,
    startedAtMs: ctx.shard.startedAtMs,
    shards: [{ index: 0, state: ready ? 'ready' : 'starting', components: ctx.shard.status() }],
  })
  const check = new HealthCheck(cfg, {
    clock: ctx.clock,
    log: ctx.log,
    health,
    get pipelines() {
      return ctx.shard.pipelines
    },
    report: (status, error) => ctx.report(status, error),
    extension: (id) => ctx.extension(id),
  })
  return {
    start: () => check.start(),
    stop: (deadline) => check.stop(deadline),
    pipelinesStarted: () => {
      ready = true
    },
    pipelinesStopping: () => {
      ready = false
    },
  }
}
