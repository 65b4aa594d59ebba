// npm run soak: every scenario in its long form, one after the other, and a table of the books.
//
//   npm run soak -- kill disk       those whose name contains all of these words
//   npm run soak -- --mqtt disk     those between an MQTT broker and a sink; FAULT_SECONDS for each, 60 by default
//   FAULT_SEED=7 npm run soak       with the moments and moods of that seed; a new one each time by default

import { soakMqtt } from './mqtt-soak.ts'
import type { Books } from './reconcile.ts'
import { SCENARIOS } from './scenarios.ts'
import { runScenario, type Verdict } from './verdict.ts'

const words = process.argv.slice(2).filter((word) => word !== '--mqtt')
const seed = Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000)
if (process.argv.includes('--mqtt')) process.exit(await soakMqtt(words, seed))
const scenarios = SCENARIOS.filter(({ name }) => words.every((word) => name.includes(word)))
if (scenarios.length === 0) {
  console.error(`no scenario is named with ${words.join(' and ')}`)
  process.exit(1)
}

const COLUMNS = {
  kills: (books: Books) => books.kills,
  sent: (books) => books.sent,
  acknowledged: (books) => books.acknowledged,
  delivered: (books) => books.delivered,
  lost: (books) => books.lost,
  duplicates: (books) => books.duplicates,
  'at most': (books) => books.duplicatesAtMost,
  refused: (books) => books.refused,
  'refused by sink': (books) => books.rejected,
  unexplained: (books) => books.unexplainedRefusals + books.unexplainedRejections,
} satisfies Record<string, (books: Books) => number>

const verdictOf = ({ skipped, failure }: Verdict): string =>
  skipped === undefined ? (failure === undefined ? 'good' : 'FAILED') : `skipped: ${skipped}`

const titles = Object.keys(COLUMNS)
console.log(`FAULT_SEED=${seed}, spans`)
console.log(`| scenario | ${titles.join(' | ')} | s | |`)
console.log(`| --- |${' ---: |'.repeat(titles.length + 1)} --- |`)
const failures: string[] = []
for (const scenario of scenarios) {
  const from = performance.now()
  const verdict = await runScenario(scenario, seed, true)
  const { outcome, failure } = verdict
  const cells = Object.values(COLUMNS).map((of) => (outcome === undefined ? '' : String(of(outcome.books))))
  const seconds = Math.round((performance.now() - from) / 1000)
  console.log(`| ${scenario.name} | ${cells.join(' | ')} | ${seconds} | ${verdictOf(verdict)} |`)
  if (failure !== undefined) failures.push(failure)
}
for (const failure of failures) console.error(`\n${failure}`)
process.exit(failures.length === 0 ? 0 : 1)
