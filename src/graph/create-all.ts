// What only a component's create() can say about its configuration: each component of a plan is created by itself, with
// no telemetry around it, and never started (reference 1.1, validate). Extensions are not created.
//
// The supervisor asks it of everything but receivers: their code is large, and the supervisor opens no door.

import type { LoadedComponent } from '../config/components.ts'
import { findPlace } from '../config/document.ts'
import { ConfigError, type Problem } from '../config/problem.ts'
import type { Logger } from '../self/log.ts'
import { MeterRegistry } from '../self/meter-registry.ts'
import { systemClock } from './clock.ts'
import { type BuildInfo, type ComponentContext, type ComponentKind, ONLY_SHARD, type Output } from './component.ts'
import type { Configuration } from './configuration.ts'

const NOWHERE: Output = { send: (batch) => batch.delivery.deliver() }
const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {}, enabled: () => false, with: () => SILENT }

export async function creationProblems(
  { loaded, plan }: Configuration,
  build: BuildInfo,
  kinds: { readonly receivers: boolean },
): Promise<Problem[]> {
  const problems: Problem[] = []
  const meters = new MeterRegistry('none')
  const context = (kind: ComponentKind, id: string): ComponentContext => ({
    kind,
    id,
    log: SILENT,
    meter: meters.component(kind, id),
    clock: systemClock,
    random: Math.random,
    build,
    gates: loaded.gates,
    shards: ONLY_SHARD,
    report: () => {},
    extension: () => undefined,
  })
  const attempt = async (
    id: string,
    component: LoadedComponent,
    create: (component: LoadedComponent) => unknown,
  ): Promise<void> => {
    try {
      await create(component)
    } catch (error) {
      problems.push(...problemsOf(error, id, component))
    }
  }
  for (const { id, signals } of plan.exporters) {
    await attempt(id, loaded.exporters.get(id)!, ({ factory, config }) => {
      if (factory.kind === 'exporter') factory.create(config, { ...context('exporter', id), signals })
    })
  }
  for (const { id, from, to, feeds } of plan.connectors) {
    const pipelines = new Map(feeds.map((name) => [name, NOWHERE]))
    await attempt(id, loaded.connectors.get(id)!, ({ factory, config }) => {
      if (factory.kind === 'connector') factory.create(config, { ...context('connector', id), from, to, pipelines })
    })
  }
  for (const { name: pipeline, signal, steps } of plan.pipelines) {
    for (const step of steps) {
      if (step.kind !== 'processor') continue
      await attempt(step.id, loaded.processors.get(step.id)!, ({ factory, config }) => {
        if (factory.kind === 'processor') factory.create(config, { ...context('processor', step.id), signal, pipeline })
      })
    }
  }
  for (const { id, feeds } of kinds.receivers ? plan.receivers : []) {
    const outputs = Object.fromEntries(Object.keys(feeds).map((signal) => [signal, NOWHERE]))
    await attempt(id, loaded.receivers.get(id)!, ({ factory, config }) => {
      if (factory.kind !== 'receiver') return undefined
      const names = (factory.apart?.(config) ?? []).filter((name) => Object.values(feeds).flat().includes(name))
      const apart = new Map(names.map((name) => [name, NOWHERE]))
      return factory.create(config, { ...context('receiver', id), outputs, apart })
    })
  }
  // A component that knows the path and not the text is pointed into it.
  return problems.map((problem) =>
    problem.place === undefined ? { ...problem, place: findPlace(loaded.root, keysOf(problem.path)) } : problem,
  )
}

function problemsOf(error: unknown, id: string, { factory, declaredAt }: LoadedComponent): readonly Problem[] {
  if (error instanceof ConfigError) return error.problems
  const what = error instanceof Error ? error.message : String(error)
  return [{ code: 'CONFIG_INVALID', path: `${factory.kind}s.${id}`, what, place: declaredAt }]
}

const keysOf = (path: string): readonly string[] => path.split(/\.|\[(?=\d)/)
