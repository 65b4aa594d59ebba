// The thread's side of a shard: decodes the configuration that the supervisor has checked, runs the graph, answers looks.
// It is one task of piscina's, which ends when the shard has drained.

import { flushCompileCache } from 'node:module'
import type { MessagePort } from 'node:worker_threads'
import { decodeDocument } from '../config/document.ts'
import { type PackedTree, unpackTree } from '../config/packed-tree.ts'
import { systemClock } from '../graph/clock.ts'
import type { BuildInfo, ShardPlace } from '../graph/component.ts'
import type { Plan } from '../graph/plan.ts'
import { registry } from '../graph/registry.ts'
import { BrokenUpdate, Graph } from '../graph/run.ts'
import { type LogsConfig, telemetryConfig } from '../self/config.ts'
import { createLogger, type RootLogger } from '../self/logger.ts'
import type { Labels } from '../self/meter.ts'
import { MeterRegistry } from '../self/meter-registry.ts'
import { observeHeap } from '../self/process-metrics.ts'
import { SlowestTrace } from '../ui/slowest-trace.ts'
import { Links } from './links.ts'
import type { FromShard, LinkEnd, ShardLook, ShardReload, ToShard } from './messages.ts'

/** What a reload changes. */
export interface ShardPlan {
  readonly plan: Plan
  /** The configuration as the supervisor read and checked it, so that all shards and restarts run the same. */
  readonly tree: PackedTree
  /** Who the router is in its own telemetry. */
  readonly resource: Labels
  /** Ids of extensions that the supervisor runs. */
  readonly elsewhere: readonly string[]
}

export interface ShardInit extends ShardPlan {
  readonly place: ShardPlace
  readonly port: MessagePort
  /** Ways to the others that live. */
  readonly links: readonly LinkEnd[]
  readonly loads: SharedArrayBuffer
  readonly build: BuildInfo
  /** Keep the slowest recent trace for the live view. */
  readonly watch: boolean
}

export default async function runShard(init: ShardInit): Promise<void> {
  const { port } = init
  const send = (message: FromShard): void => port.postMessage(message)
  const loaded = await decode(init.tree)
  const { telemetry } = loaded.service
  const log = createLogger(telemetry.logs, { clock: systemClock, resource: init.resource })
  const meters = new MeterRegistry(telemetry.metrics.level)
  observeHeap(meters.meter())
  const slowest = init.watch ? new SlowestTrace(systemClock) : undefined

  const links =
    init.place.count === 1
      ? undefined
      : new Links({
          ...init,
          ends: init.links,
          clock: systemClock,
          log,
          meter: meters.meter(),
          met: (point) => send({ kind: 'met', point }),
        })

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
        shards: init.place,
        ...(links === undefined ? {} : { neighbours: links }),
        onStatus: (_kind, id, status, error) => {
          if (status === 'fatal') send({ kind: 'fatal', id, message: error?.message ?? 'it gave no reason' })
        },
        ...(slowest === undefined ? {} : { watch: (batch) => slowest.observe(batch) }),
      },
      new Set(init.elsewhere),
    )
    links?.open((place, batch, note) => graph.take(place, batch, note))
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
  const reload = async ({ plan, tree, resource, elsewhere }: ShardPlan, drainMs: number): Promise<ShardReload> => {
    try {
      const next = await decode(tree)
      const deadline = (): AbortSignal => AbortSignal.timeout(drainMs)
      const changes = await graph.update(plan, next, { elsewhere: new Set(elsewhere), deadline })
      reconfigureLog(log, next.service.telemetry.logs, resource)
      return { outcome: 'ok', changes }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return { outcome: error instanceof BrokenUpdate ? 'broken' : 'refused', message }
    }
  }
  await new Promise<void>((resolve) => {
    // Reloads come one at a time, and stopping waits for the one that runs.
    let reloading: Promise<void> = Promise.resolve()
    port.on('message', (message: ToShard) => {
      if (message.kind === 'look') return send({ kind: 'look', number: message.number, look: look(message.metrics) })
      if (message.kind === 'reload') {
        const { number, next, drainMs } = message
        reloading = reloading
          .then(() => reload(next, drainMs))
          .then((result) => send({ kind: 'reloaded', number, result }))
        return
      }
      if (message.kind === 'link') return links?.link(message.end)
      if (message.kind === 'go on') return links?.goOn(message.point)
      void reloading
        .then(() => graph.stop(AbortSignal.timeout(message.drainMs)))
        .then(() => {
          send({ kind: 'stopped', look: look(true) })
          resolve()
        })
    })
    send({ kind: 'ready' })
    // Not at exit: a router that is killed would start slowly every time.
    flushCompileCache()
  })
  links?.close()
  port.close()
}

const decode = (tree: PackedTree) => decodeDocument(unpackTree(tree), { registry, telemetry: telemetryConfig })

/** The supervisor has opened the same files before it asked for this; what fails all the same is not worth a graph. */
function reconfigureLog(log: RootLogger, config: LogsConfig, resource: Labels): void {
  try {
    log.reconfigure(config, resource)
  } catch (error) {
    log.error('The log goes on as it was.', { error: (error as Error).message })
  }
}
