import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LogLine, memoryLogger } from '../../test/support/harness.ts'
import { namedPipe } from '../../test/support/named-pipe.ts'
import { systemClock } from '../graph/clock.ts'
import type { Snapshot } from '../self/snapshot.ts'
import type { ShardState, SupervisorLimits } from './shard.ts'
import { Supervisor } from './supervisor.ts'

const QUICK = {
  heartbeatMs: 20,
  stuckAfterMs: 120,
  endAfterMs: 60_000,
  threadEndMs: 100,
  restartAfterMs: 30,
  restartAtMostMs: 60,
}

function supervise(
  t: TestContext,
  mood: string,
  limits: SupervisorLimits = QUICK,
  shards = 1,
): { supervisor: Supervisor; logs: LogLine[]; died: number[]; counted: (Snapshot | undefined)[] } {
  const logs: LogLine[] = []
  const died: number[] = []
  const counted: (Snapshot | undefined)[] = []
  const supervisor = new Supervisor({
    shards,
    init: {
      plan: { shards: 1, receivers: [], pipelines: [], connectors: [], exporters: [], extensions: [] },
      tree: { root: { entries: new Map() }, gates: new Set() },
      build: { command: mood, description: '', version: '' },
      resource: {},
      elsewhere: [],
      watch: false,
    },
    clock: systemClock,
    log: memoryLogger(logs),
    onFatal: () => {},
    onDied: (shard, last) => {
      died.push(shard)
      counted.push(last)
    },
    limits,
    worker: new URL('../../test/support/moody-worker.ts', import.meta.url).href,
  })
  t.after(() => supervisor.stop(0))
  return { supervisor, logs, died, counted }
}

/** Resolves when the shard has been in each of the states, in their order. */
async function passes(supervisor: Supervisor, ...states: ShardState[]): Promise<void> {
  for (const state of states) {
    const until = performance.now() + 5_000
    while (supervisor.states()[0]!.state !== state) {
      assert.ok(performance.now() < until, `never ${state}, but ${supervisor.states()[0]!.state}`)
      await sleep(2)
    }
  }
}

test('a shard that runs answers looks, and ends when it is told to', async (t) => {
  const { supervisor } = supervise(t, 'run')
  await supervisor.start()
  assert.equal(supervisor.states()[0]!.state, 'ready')
  assert.deepEqual((await supervisor.look(true))[0]!.metrics, { metrics: [] })
  await supervisor.stop(1_000)
  assert.equal(supervisor.states()[0]!.state, 'stopped')
})

test('a shard that cannot start says why, and is not tried again', async (t) => {
  const { supervisor } = supervise(t, 'fail')
  await assert.rejects(supervisor.start(), /cannot start exporter otlp: no/)
  assert.equal(supervisor.states()[0]!.state, 'stopped')
})

test('a shard that dies is seen, reported, and started again until it is told to stop', async (t) => {
  const { supervisor, logs, died } = supervise(t, 'die 60')
  await supervisor.start()
  await passes(supervisor, 'dead', 'ready', 'dead')
  await supervisor.stop(100)
  assert.deepEqual(died.slice(0, 2), [0, 0])
  const line = logs.find((l) => l.message === 'A shard died and is started again.')
  assert.equal(line?.fields.error, 'out of luck')
  await sleep(150)
  assert.equal(supervisor.states()[0]!.state, 'stopped')
})

test('a look at a shard that dies before it ever answered ends with it, and tells nothing', async (t) => {
  const { supervisor } = supervise(t, 'mute 60')
  await supervisor.start()
  assert.deepEqual(await supervisor.look(true, 60_000), [undefined])
})

test('what a shard has counted is known when it dies, whoever looked at it last', async (t) => {
  const { supervisor, counted } = supervise(t, 'run', { ...QUICK, heartbeatMs: 60_000 })
  await supervisor.start()
  await supervisor.look(true)
  await supervisor.look(false)
  await supervisor.reload(plan('deadly', 'die'), 100)
  assert.deepEqual(counted, [{ metrics: [] }])
})

test('what a shard used is used by nobody once it has died', async (t) => {
  const { supervisor } = supervise(t, 'hoard', { ...QUICK, restartAfterMs: 60_000 }, 2)
  await supervisor.start()
  assert.equal(await runsWith(supervisor), String(2 ** 20))
  await supervisor.reload(plan('deadly', 'die'), 100)
  assert.equal(await runsWith(supervisor), '0')
})

test('a shard that does not come round is stuck until it answers again; looks then give what it last said', async (t) => {
  const { supervisor } = supervise(t, 'hang 700')
  await supervisor.start()
  await passes(supervisor, 'stuck')
  const asked = performance.now()
  await supervisor.look(false, 50)
  assert.ok(performance.now() - asked < 400, 'a look waited for a stuck shard')
  await passes(supervisor, 'ready')
})

test('a shard that stays stuck is ended, and started again', async (t) => {
  const { supervisor, logs, died } = supervise(t, 'hang 60000', { ...QUICK, endAfterMs: 300 })
  await supervisor.start()
  await passes(supervisor, 'stuck', 'dead', 'ready')
  assert.ok(died.length > 0)
  assert.ok(logs.some(({ message }) => message === 'A shard that does not answer is ended.'))
})

test('a shard whose thread does not end, as it waits for the system, is started again when it has, and not beside it', async (t) => {
  const { pipe, release } = namedPipe(t)
  const { supervisor, logs } = supervise(t, 'run', { ...QUICK, endAfterMs: 200 })
  await supervisor.start()
  const reload = supervisor.reload(plan('new', pipe), 100)
  await passes(supervisor, 'stuck', 'dead')
  await sleep(10 * QUICK.restartAfterMs)
  assert.equal(supervisor.states()[0]!.state, 'dead')
  assert.ok(logs.some(({ message }) => message === 'The thread of a shard does not end: it waits for the system.'))
  release()
  await passes(supervisor, 'ready')
  assert.equal((await reload).outcome, 'refused')
})

test('a thread that does not end keeps a stop from its end only so long', async (t) => {
  const { pipe, release } = namedPipe(t)
  const { supervisor } = supervise(t, 'run', { ...QUICK, endAfterMs: 200 })
  await supervisor.start()
  void supervisor.reload(plan('new', pipe), 100)
  await passes(supervisor, 'stuck', 'dead')
  await supervisor.stop(50)
  assert.equal(supervisor.states()[0]!.state, 'stopped')
  release()
})

test('stopping a shard that is stuck ends its thread after the time for draining', async (t) => {
  const { supervisor } = supervise(t, 'hang 60000')
  await supervisor.start()
  await passes(supervisor, 'stuck')
  const asked = performance.now()
  await supervisor.stop(50)
  assert.ok(performance.now() - asked < 4_000)
  assert.equal(supervisor.states()[0]!.state, 'stopped')
})

const runsWith = async (supervisor: Supervisor): Promise<string> => (await supervisor.look(false))[0]!.components[0]!.id
const plan = (name: string, mood = '') => ({
  plan: { shards: 1, receivers: [], pipelines: [], connectors: [], exporters: [], extensions: [] },
  tree: { root: { entries: new Map() }, gates: new Set<string>() },
  resource: { name, mood },
  elsewhere: [],
})

test('a reload that the shard takes is what it runs with; one that it refuses changes nothing', async (t) => {
  const { supervisor } = supervise(t, 'run')
  await supervisor.start()
  const taken = await supervisor.reload(plan('new'), 100)
  assert.deepEqual(taken, { outcome: 'ok', changes: { kept: [], started: ['new'], stopped: [] } })
  assert.equal(await runsWith(supervisor), 'new')
  assert.deepEqual(await supervisor.reload(plan('worse', 'refuse'), 100), { outcome: 'refused', message: 'no' })
  assert.equal(await runsWith(supervisor), 'new')
})

test('a shard that dies of a reload is started again with what it ran before, and the reload counts as refused', async (t) => {
  const { supervisor } = supervise(t, 'run')
  await supervisor.start()
  await supervisor.reload(plan('good'), 100)
  const result = await supervisor.reload(plan('deadly', 'die'), 100)
  assert.deepEqual(result, { outcome: 'refused', message: 'it ended the shard: it was too much' })
  await passes(supervisor, 'ready')
  assert.equal(await runsWith(supervisor), 'good')
})

test('a shard that is dead while the others reload starts with the newest configuration', async (t) => {
  const { supervisor } = supervise(t, 'die 40')
  await supervisor.start()
  await passes(supervisor, 'dead')
  assert.equal((await supervisor.reload(plan('new'), 100)).outcome, 'ok')
  await passes(supervisor, 'ready')
  assert.equal(await runsWith(supervisor), 'new')
})
