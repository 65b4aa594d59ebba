// What a run must come to, and the words for one that did not.

import { FaultRun, type Ground, type Outcome, type Scenario } from './run.ts'

/** FAULT_SEED sets the moments and moods of a run; how processes and threads interleave stays chance. */
export const faultSeed = (): number => Number(process.env.FAULT_SEED ?? 1)

export interface Verdict {
  readonly outcome: Outcome | undefined
  /** Why this machine cannot run it. */
  readonly skipped?: string
  /** The words of a failure, with the seed and what was done; undefined when all is well. */
  readonly failure?: string
}

export async function runScenario(scenario: Scenario, seed: number, long = false): Promise<Verdict> {
  const ground: Ground | string = scenario.needs?.() ?? {}
  if (typeof ground === 'string') return { outcome: undefined, skipped: ground }
  const title = `${scenario.name} (FAULT_SEED=${seed})`
  try {
    const outcome = await new FaultRun(scenario, seed, ground).run(long)
    const faults = findFaults(scenario, outcome)
    return faults.length === 0 ? { outcome } : { outcome, failure: explain(title, faults, outcome) }
  } catch (error) {
    return { outcome: undefined, failure: `${title}\n${(error as Error).stack}` }
  } finally {
    ground.release?.()
  }
}

function findFaults(scenario: Scenario, { books, statuses, exitCode, output }: Outcome): string[] {
  const faults: string[] = []
  if (books.acknowledged === 0) faults.push('nothing was acknowledged')
  if (books.lost > 0 && scenario.loses !== true) faults.push(`${books.lost} spans lost`)
  if (books.lost === 0 && scenario.loses === true) faults.push('no loss was seen')
  const { refuses } = scenario
  if (refuses === 'never' && books.refused > 0) faults.push(`${books.refused} spans refused`)
  if ((refuses === 'sometimes' || refuses === 'with a hint') && books.refused === 0) faults.push('nothing was refused')
  if (refuses === 'with a hint' && [...statuses.values()].some(({ times, hinted }) => hinted < times))
    faults.push('a refusal does not say when to come again')
  if (books.duplicates > books.duplicatesAtMost)
    faults.push(`${books.duplicates} duplicates, of which ${books.duplicatesAtMost} are explained`)
  if (books.unexplainedRefusals > 0) faults.push(`${books.unexplainedRefusals} refused spans that no counter explains`)
  if (books.unexplainedRejections > 0)
    faults.push(`${books.unexplainedRejections} spans refused by the sink that no counter explains`)
  if (exitCode !== 0) faults.push(`SIGTERM ended the router with ${exitCode}`)
  if (output.includes('invariant:')) faults.push('the router reports a broken invariant')
  return faults
}

const explain = (title: string, faults: readonly string[], { books, statuses, log, output }: Outcome): string =>
  [
    title,
    ...faults,
    JSON.stringify(books),
    `refusals: ${[...statuses].map(([status, { times }]) => `${status} x ${times}`).join(', ') || 'none'}`,
    ...log,
    output,
  ].join('\n')
