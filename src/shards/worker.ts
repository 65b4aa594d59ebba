// The thread's side of a shard: decodes the configuration that the supervisor has checked, runs the graph, answers looks.
// It is one task of piscina's, which ends when the shard has drained.

import { flushCompileCache } from 'node:module'
import type { MessagePort } from 'node:worker_threads'
import { decodeDocument } from '../config/document.ts'
import { type PackedTree, unpackTree } from '../config/packed-tree.ts'
import { systemClock } from '../graph/clock.ts'
import type { BuildInfo } from '../graph/component.ts'
import type { Plan } from '../graph/plan.ts'
import { registry } from '../graph/registry.ts'
import { Graph } from '../graph/run.ts'
import { telemetryConfig } from '../self/config.ts'
import { createLogger } from '../self/logger.ts'
import type { Labels } from '../self/meter.ts'
import { MeterRegistry } from '../self/meter-registry.ts'
import { observeHeap } from '../self/process-metrics.ts'
import { SlowestTrace } from '../ui/slowest-trace.ts'
import type { FromShard, ShardLook, ToShard } from './messages.ts'

export interface ShardInit {
  readonly index: number
  readonly port: MessagePort
  readonly plan: Plan
  /** The configuration as the supervisor read and checked it, so that all shards and restarts run the same. */
  readonly tree: PackedTree
  readonly build: BuildInfo
  /** Who the router is in its own telemetry. */
  readonly resource: Labels
  /** Ids of extensions that the supervisor runs. */
  readonly elsewhere: readonly string[]
  /** Keep the slowest recent trace for the live view. */
  readonly watch: boolean
}

export default async function runShard(init: ShardInit): Promise<void> {
  const { port } = init
  const send = (message: FromShard): void => port.postMessage(message)
  const loaded = await decodeDocument(unpackTree(init.tree), { registry, telemetry: telemetryConfig })
  const { telemetry } = loaded.service
  const log = createLogger(telemetry.logs, { clock: systemClock, resource: init.resource })
  const meters = new MeterRegistry(telemetry.metrics.level)
  observeHeap(meters.meter())
  const slowest = init.watch ? new SlowestTrace(systemClock) : undefined

  let graph: Graph
  try {
    graph = await Graph.create(
      init.plan,
      loaded,
      {
        log,
        meterFor: (kind, id) => meters.component(kind, id),
        clock: systemClock,
        random: Math.random,
        build: init.build,
        gates: init.tree.gates,
        onStatus: (_kind, id, status, error) => {
          if (status === 'fatal') send({ kind: 'fatal', id, message: error?.message ?? 'it gave no reason' })
        },
        ...(slowest === undefined ? {} : { watch: (batch) => slowest.observe(batch) }),
      },
      new Set(init.elsewhere),
    )
    await graph.start()
  } catch (error) {
    send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
    return
  }

  const look = (metrics: boolean): ShardLook => ({
    pipelines: graph.totals(),
    components: graph.view().status(),
    metrics: metrics ? meters.snapshot() : undefined,
    slowest: slowest?.current(),
  })
  await new Promise<void>((resolve) => {
    port.on('message', (message: ToShard) => {
      if (message.kind === 'look') return send({ kind: 'look', number: message.number, look: look(message.metrics) })
      const deadline = AbortSignal.timeout(message.drainMs)
      void graph.stop(deadline).then(() => {
        send({ kind: 'stopped', look: look(true) })
        resolve()
      })
    })
    send({ kind: 'ready' })
    // Not at exit: a router that is killed would start slowly every time.
    flushCompileCache()
  })
  port.close()
}
