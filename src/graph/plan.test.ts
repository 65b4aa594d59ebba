import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Signal } from '../otlp/signal.ts'
import type { Keeps } from './component.ts'
import { makePlan, type Plan, type PlanComponent, type PlanInput } from './plan.ts'
import { planToMermaid, planToText, startOrder } from './print-plan.ts'

const ALL: Signal[] = ['traces', 'metrics', 'logs', 'profiles']
const component = (kind: string, more: object = {}): PlanComponent => ({
  type: 'x',
  factory: { kind, signals: ALL, ...more },
})
const forward = { type: 'forward', factory: { kind: 'connector', pairs: ALL.map((s) => ({ from: s, to: s })) } }

const keeps = (where: Keeps): PlanComponent => component('exporter', { keeps: () => where })

/** `traces: a b | p q | x` is a pipeline: receivers, processors, exporters. */
function input(pipelines: Record<string, string>, more: Partial<Omit<PlanInput, 'service'>> = {}): PlanInput {
  const words = (text: string): string[] => text.trim().split(/\s+/).filter(Boolean)
  const list = Object.entries(pipelines).map(([name, text]) => {
    const [receivers, processors, exporters] = text.split('|')
    return {
      name,
      signal: name.split('/')[0] as Signal,
      receivers: words(receivers!),
      processors: words(processors!),
      exporters: words(exporters!),
    }
  })
  const connectors = more.connectors ?? new Map()
  const all = (section: 'receivers' | 'processors' | 'exporters', kind: string): Map<string, PlanComponent> =>
    new Map(
      list
        .flatMap((p) => p[section])
        .filter((id) => !connectors.has(id))
        .map((id) => [id, component(kind)]),
    )
  return {
    receivers: all('receivers', 'receiver'),
    processors: all('processors', 'processor'),
    exporters: all('exporters', 'exporter'),
    connectors,
    service: { extensions: [], pipelines: list },
    ...more,
  }
}

test('a receiver that several pipelines name is one node that feeds them by signal', () => {
  const { plan, problems } = makePlan(
    input({ traces: 'otlp | batch | a', 'traces/2': 'otlp | | b', logs: 'otlp | | a' }),
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(plan.receivers, [{ id: 'otlp', feeds: { traces: ['traces', 'traces/2'], logs: ['logs'] } }])
  assert.deepEqual(plan.exporters, [
    { id: 'a', signals: ['traces', 'logs'] },
    { id: 'b', signals: ['traces'] },
  ])
})

test('a connector joins the pipelines on both of its ends, and those behind it start first', () => {
  const { plan, problems } = makePlan(
    input(
      { traces: 'otlp | batch | fwd', 'traces/behind': 'fwd | attrs | debug' },
      { connectors: new Map([['fwd', forward]]) },
    ),
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(
    plan.pipelines.map((p) => p.name),
    ['traces/behind', 'traces'],
  )
  assert.deepEqual(plan.connectors, [
    { instance: 'fwd (traces to traces)', id: 'fwd', from: 'traces', to: 'traces', feeds: ['traces/behind'] },
  ])
  assert.deepEqual(startOrder(plan), ['debug', 'attrs', 'fwd', 'batch', 'otlp'])
})

test('a receiver and an exporter of one id both stand in the order of starting', () => {
  const { plan } = makePlan(input({ traces: 'otlp | batch | otlp', logs: 'otlp | batch | otlp' }))
  assert.deepEqual(startOrder(plan), ['otlp', 'batch', 'otlp'])
})

test('a connector that is used on one end only is a problem that names the other end', () => {
  const connectors = new Map([['fwd', forward]])
  const before = makePlan(input({ traces: 'otlp | | fwd', logs: 'otlp | | debug' }, { connectors })).problems
  assert.equal(before.length, 1)
  assert.match(before[0]!.what, /used as exporter in traces but not as receiver/)
  const behind = makePlan(input({ traces: 'fwd | | debug' }, { connectors })).problems
  assert.equal(behind.length, 1)
  assert.match(behind[0]!.what, /used as receiver in traces but not as exporter/)
})

test('a cycle through connectors is refused with its way round', () => {
  const connectors = new Map([
    ['there', forward],
    ['back', forward],
  ])
  const { problems } = makePlan(
    input({ 'traces/1': 'otlp back | | there', 'traces/2': 'there | | back' }, { connectors }),
  )
  assert.equal(problems.length, 1)
  assert.equal(
    problems[0]!.what,
    'cycle detected: pipeline traces/1 -> connector there -> pipeline traces/2 -> connector back -> pipeline traces/1',
  )
})

test('a component in a pipeline of a signal that it does not support is a problem', () => {
  const base = input({ logs: 'otlp | | spans_only' })
  const exporters = new Map([['spans_only', component('exporter', { signals: ['traces'] })]])
  const { problems } = makePlan({ ...base, exporters })
  assert.deepEqual(
    problems.map((p) => [p.path.join('.'), p.what]),
    [['service.pipelines.logs.exporters', 'spans_only does not support logs']],
  )
})

test('with more than one shard an exchange stands before a component that keeps state by a key', () => {
  const base = input({ traces: 'otlp | batch tail | debug' })
  const processors = new Map([...base.processors, ['tail', component('processor', { key: 'trace' })]])
  const steps = (shards: number): string[] =>
    makePlan({ ...base, processors }, shards).plan.pipelines[0]!.steps.map((s) =>
      s.kind === 'exchange' ? `by ${s.key}` : s.id,
    )
  assert.deepEqual(steps(1), ['batch', 'tail'])
  assert.deepEqual(steps(4), ['batch', 'by trace', 'tail'])
})

test('with more than one shard an exchange stands before an exporter that keeps order by a key, unless one shard has it alone', () => {
  const base = input({ metrics: 'otlp | | ordered alone' })
  const exporters = new Map([
    ['ordered', component('exporter', { key: 'service' })],
    ['alone', component('exporter', { key: 'service', exclusive: () => ['file x'] })],
  ])
  const planFor = (shards: number): Plan => makePlan({ ...base, exporters }, shards).plan
  const signals = ['metrics']
  assert.deepEqual(planFor(1).exporters, [
    { id: 'ordered', signals },
    { id: 'alone', signals },
  ])
  assert.deepEqual(planFor(4).exporters, [
    { id: 'ordered', signals, key: 'service' },
    { id: 'alone', signals, shard: 1 },
  ])
  assert.match(planToText(planFor(4)), /to {4}<exchange by service> -> ordered, alone/)
  assert.match(planToMermaid(planFor(4)), /-- by service -->/)
})

test('a shared processor is one instance in all pipelines, any other one per pipeline', () => {
  const base = input({ traces: 'otlp | limiter batch | debug', logs: 'otlp | limiter batch | debug' })
  const processors = new Map([...base.processors, ['limiter', component('processor', { shared: true })]])
  const { plan } = makePlan({ ...base, processors })
  const instances = plan.pipelines.flatMap((p) => p.steps.map((s) => (s.kind === 'processor' ? s.instance : '')))
  assert.deepEqual(instances, ['limiter', 'traces/batch', 'limiter', 'logs/batch'])
})

test('the plan prints as text and as a Mermaid chart', () => {
  const { plan } = makePlan(
    input(
      { traces: 'otlp | batch | fwd debug', 'traces/behind': 'fwd | | debug' },
      { connectors: new Map([['fwd', forward]]) },
    ),
  )
  assert.equal(
    planToText(plan),
    `shards: 1

pipeline traces
  from  otlp
  steps batch
  to    debug, fwd (to traces/behind)

pipeline traces/behind
  from  fwd
  to    debug

start: debug, fwd, batch, otlp
stop:  receivers, then pipelines in the order of flow, exporters last
`,
  )
  assert.equal(
    planToMermaid(plan),
    `flowchart LR
  n0(("traces/behind"))
  n1(["debug"])
  n0 --> n1
  n2["batch<br/>traces"]
  n2 --> n1
  n3[/"fwd (traces to traces)"/]
  n2 --> n3
  n3 --> n0
  n4(["otlp"])
  n4 -- traces --> n2
`,
  )
})

test('a pipeline answers when delivered where everything that it leads to is on disk or dealt with at once', () => {
  const exporters = new Map([
    ['disk', keeps('disk')],
    ['memory', keeps('memory')],
    ['direct', keeps('direct')],
    ['silent', component('exporter')],
  ])
  const pipelines = {
    'traces/1': 'otlp | | disk',
    'traces/2': 'otlp | | disk direct',
    'traces/3': 'otlp | | disk memory',
    'traces/4': 'otlp | | direct',
    'traces/5': 'otlp | | disk silent',
    'traces/6': 'otlp | | disk fwd',
    'traces/7': 'fwd | | memory',
    'logs/1': 'otlp | | fwd',
    'logs/2': 'fwd | | disk',
  }
  const connectors = new Map([['fwd', forward]])
  const answers = (delivery?: 'auto' | 'accepted' | 'delivered') => {
    const base = input(pipelines, { exporters, connectors })
    const service = delivery === undefined ? base.service : { ...base.service, delivery }
    const { plan, problems } = makePlan({ ...base, service })
    assert.deepEqual(problems, [])
    const waiting = plan.pipelines.filter((p) => p.answersWhen === 'delivered').map((p) => p.name)
    return waiting.sort()
  }
  assert.deepEqual(answers(), ['logs/1', 'logs/2', 'traces/1', 'traces/2'])
  assert.deepEqual(answers('auto'), answers())
  assert.deepEqual(answers('accepted'), [])
  assert.deepEqual(answers('delivered'), Object.keys(pipelines).sort())
})
