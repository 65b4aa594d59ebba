// What a run must come to, and the words for one that did not.

import assert from 'node:assert/strict'
import { FaultRun, type Outcome, type Scenario } from './run.ts'

/** FAULT_SEED sets the moments and moods of a run; how processes and threads interleave stays chance. */
export const faultSeed = (): number => Number(process.env.FAULT_SEED ?? 1)

export async function runScenario(scenario: Scenario, seed: number, long = false): Promise<Outcome> {
  const outcome = await new FaultRun(scenario, seed).run(long)
  assert.deepEqual(findFaults(scenario, outcome), [], explain(scenario, seed, outcome))
  return outcome
}

export function findFaults(scenario: Scenario, { books, exitCode, output }: Outcome): string[] {
  const faults: string[] = []
  if (books.acknowledged === 0) faults.push('nothing was acknowledged')
  if (scenario.mayLose === true ? books.lost === 0 : books.lost > 0) faults.push(`${books.lost} spans lost`)
  if (books.duplicates > books.duplicatesAtMost)
    faults.push(`${books.duplicates} duplicates, ${books.duplicatesAtMost} explained`)
  if (books.unexplainedRefusals > 0) faults.push(`${books.unexplainedRefusals} refused spans that no counter explains`)
  if (books.unexplainedRejections > 0)
    faults.push(`${books.unexplainedRejections} spans refused by the sink that no counter explains`)
  if (exitCode !== 0) faults.push(`SIGTERM ended the router with ${exitCode}`)
  if (output.includes('invariant:')) faults.push('the router reports a broken invariant')
  return faults
}

const explain = (scenario: Scenario, seed: number, { books, statuses, log, output }: Outcome): string =>
  [
    `${scenario.name} (FAULT_SEED=${seed})`,
    ...findFaults(scenario, { books, statuses, log, output, exitCode: 0 }),
    JSON.stringify(books),
    `refusals: ${[...statuses].map(([status, { times }]) => `${status} x ${times}`).join(', ') || 'none'}`,
    ...log,
    output,
  ].join('\n')
