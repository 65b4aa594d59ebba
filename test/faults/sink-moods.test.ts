// What the sink does while a router runs between it and numbered senders: real processes, span by span.

import { test } from 'node:test'
import { LOSSES, RESTARTS, SINK_MOODS } from './scenarios.ts'
import { faultSeed, runScenario } from './verdict.ts'

for (const scenario of [...SINK_MOODS, ...RESTARTS, ...LOSSES])
  test(scenario.name, async () => {
    const outcome = await runScenario(scenario, faultSeed())
    if (process.env.FAULT_SHOW) console.error(scenario.name, outcome.books, outcome.statuses)
  })
