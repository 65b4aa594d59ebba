// kill -9 of a router between numbered senders and a sink: real processes, span by span.

import { test } from 'node:test'
import { KILLS } from './scenarios.ts'
import { faultSeed, runScenario } from './verdict.ts'

for (const scenario of KILLS)
  test(scenario.name, async () => {
    const outcome = await runScenario(scenario, faultSeed())
    if (process.env.FAULT_SHOW) console.error(scenario.name, outcome.books, outcome.statuses)
  })
