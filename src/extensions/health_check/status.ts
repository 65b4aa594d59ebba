// The status of the router and of each pipeline, put together from what every shard says of its components.
//
// The worst status bubbles up: from the shards' instances of a component to the component, from components to their
// pipeline, from pipelines and shards to the whole.

import type { Clock } from '../../graph/clock.ts'
import type { Status } from '../../graph/component.ts'
import type { ComponentHealth, Health, SupervisorContext } from '../../graph/supervised.ts'
import type { ComponentHealthConfig } from './config.ts'

export interface StatusNode {
  readonly status: Status
  readonly error: string | undefined
  /** Since when, in milliseconds since 1970. */
  readonly sinceMs: number
  /** By name as the Collector spells it: `extensions`, `pipeline:traces`, `receiver:otlp`. Sorted. */
  readonly parts: ReadonlyMap<string, StatusNode>
}

type Source = Pick<SupervisorContext, 'clock' | 'health' | 'pipelines'>

export class StatusTree {
  readonly #source: Source
  readonly #clock: Clock
  readonly #worstFirst: readonly Status[]
  /** When each component of each shard, and the router itself, came into the status that it has. */
  readonly #since = new Map<string, { readonly status: Status; readonly sinceMs: number }>()

  constructor(source: Source, config: ComponentHealthConfig) {
    this.#source = source
    this.#clock = source.clock
    // Where only recoverable errors count, they say more than permanent ones.
    const swap = config.includeRecoverableErrors && !config.includePermanentErrors
    this.#worstFirst = [
      'fatal',
      ...(swap ? (['recoverable', 'permanent'] as const) : (['permanent', 'recoverable'] as const)),
      'stopping',
      'stopped',
      'starting',
      'ok',
    ]
  }

  /** Notes changes; call it often enough that `sinceMs` means something. */
  observe(): void {
    for (const shard of this.#source.health().shards) {
      for (const component of shard.components)
        this.#sinceMs(`${shard.index} ${component.kind} ${component.id}`, component.status)
    }
  }

  router(): StatusNode {
    const health = this.#source.health()
    const parts = new Map<string, StatusNode>()
    const extensions = this.#parts(health, 'extension')
    if (extensions.size > 0) parts.set('extensions', this.#combine(extensions))
    for (const { name } of this.#source.pipelines) parts.set(`pipeline:${name}`, this.pipeline(name)!)
    const own = this.#own(health)
    const sorted = new Map([...parts].sort(([a], [b]) => (a < b ? -1 : 1)))
    return { ...this.#worst([own, ...sorted.values()]), parts: sorted }
  }

  /** Undefined when there is no such pipeline. */
  pipeline(name: string): StatusNode | undefined {
    const view = this.#source.pipelines.find((pipeline) => pipeline.name === name)
    if (view === undefined) return undefined
    const health = this.#source.health()
    const parts = new Map<string, StatusNode>()
    for (const kind of ['exporter', 'processor', 'receiver'] as const) {
      const ids: readonly string[] = view[`${kind}s`]
      for (const id of [...ids].sort()) {
        const found =
          this.#parts(health, kind, id).get(`${kind}:${id}`) ??
          this.#parts(health, 'connector', id).get(`connector:${id}`)
        parts.set(`${kind}:${id}`, found ?? this.#unknown(health))
      }
    }
    return this.#combine(parts)
  }

  /** Each component of that kind (and id), over all shards. */
  #parts(health: Health, kind: string, id?: string): Map<string, StatusNode> {
    const instances = new Map<string, StatusNode[]>()
    for (const shard of health.shards) {
      for (const component of shard.components) {
        if (component.kind !== kind || (id !== undefined && component.id !== id)) continue
        const name = `${kind}:${component.id}`
        const nodes = instances.get(name) ?? []
        nodes.push(this.#node(shard.index, component))
        instances.set(name, nodes)
      }
    }
    return new Map(
      [...instances].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, nodes]) => [name, this.#worst(nodes)]),
    )
  }

  #node(shard: number, { kind, id, status, error }: ComponentHealth): StatusNode {
    return { status, error, sinceMs: this.#sinceMs(`${shard} ${kind} ${id}`, status), parts: NO_PARTS }
  }

  /** What the supervisor itself knows: a shard that is dead or stuck is worse than anything that it last said. */
  #own(health: Health): StatusNode {
    const bad = health.shards.find(({ state }) => state === 'dead' || state === 'stuck')
    const status = bad !== undefined ? 'fatal' : stateOf(health)
    const error = bad === undefined ? undefined : `shard ${bad.index} is ${bad.state}`
    return { status, error, sinceMs: this.#sinceMs('router', status), parts: NO_PARTS }
  }

  #unknown(health: Health): StatusNode {
    const own = this.#own(health)
    return own.status === 'ok' ? { ...own, status: 'starting' } : own
  }

  #combine(parts: ReadonlyMap<string, StatusNode>): StatusNode {
    return { ...this.#worst([...parts.values()]), parts }
  }

  #worst(nodes: readonly StatusNode[]): StatusNode {
    for (const status of this.#worstFirst) {
      const found = nodes.filter((node) => node.status === status).sort((a, b) => b.sinceMs - a.sinceMs)[0]
      if (found !== undefined) return { ...found, parts: NO_PARTS }
    }
    return { status: 'starting', error: undefined, sinceMs: this.#clock.now(), parts: NO_PARTS }
  }

  #sinceMs(key: string, status: Status): number {
    const known = this.#since.get(key)
    if (known !== undefined && known.status === status) return known.sinceMs
    const sinceMs = this.#clock.now()
    this.#since.set(key, { status, sinceMs })
    return sinceMs
  }
}

const NO_PARTS: ReadonlyMap<string, StatusNode> = new Map()

function stateOf(health: Health): Status {
  if (health.ready) return 'ok'
  const states = new Set(health.shards.map((shard) => shard.state))
  if (states.has('stopping')) return 'stopping'
  return states.size === 1 && states.has('stopped') ? 'stopped' : 'starting'
}
