// Scenarios as tests, in their short form. Most of a run is waiting, so a few go on side by side.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Scenario } from './run.ts'
import { faultSeed, runScenario } from './verdict.ts'

export function testScenarios(title: string, scenarios: readonly Scenario[], sideBySide: number): void {
  describe(title, { concurrency: sideBySide }, () => {
    for (const scenario of scenarios) {
      if (scenario.longOnly === true) continue
      test(scenario.name, async (t) => {
        const { skipped, failure } = await runScenario(scenario, faultSeed())
        if (skipped !== undefined) t.skip(skipped)
        if (failure !== undefined) assert.fail(failure)
      })
    }
  })
}
