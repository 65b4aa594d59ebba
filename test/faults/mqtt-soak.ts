// npm run soak -- --mqtt: the MQTT scenarios in their long form, and a table of the books.

import { mosquittoMissing } from '../support/mosquitto.ts'
import type { MqttBooks } from './mqtt-run.ts'
import { MQTT_SCENARIOS, runMqttScenario } from './mqtt-scenarios.ts'

const COLUMNS = {
  'router killed': ({ did }: MqttBooks) => did['kill router'],
  'router restarted': ({ did }) => did['restart router'],
  'broker killed': ({ did }) => did['kill broker'],
  'broker restarted': ({ did }) => did['restart broker'],
  cuts: ({ did }) => did.cut,
  published: (books) => books.published,
  acknowledged: (books) => books.acknowledged,
  delivered: (books) => books.delivered,
  lost: (books) => books.lost,
  'lost by the broker': (books) => books.lostByBroker,
  duplicates: (books) => books.duplicates,
  'devices out of order': (books) => books.outOfOrder.length,
} satisfies Record<string, (books: MqttBooks) => number>

/** The exit code. */
export async function soakMqtt(words: readonly string[], seed: number): Promise<number> {
  const missing = mosquittoMissing()
  if (missing !== false) {
    console.error(missing)
    return 1
  }
  const scenarios = MQTT_SCENARIOS.filter(({ name }) => words.every((word) => name.includes(word)))
  if (scenarios.length === 0) {
    console.error(`no MQTT scenario is named with ${words.join(' and ')}`)
    return 1
  }
  const forMs = Number(process.env.FAULT_SECONDS ?? 60) * 1000
  const titles = Object.keys(COLUMNS)
  console.log(`FAULT_SEED=${seed}, messages`)
  console.log(`| scenario | ${titles.join(' | ')} | |`)
  console.log(`| --- |${' ---: |'.repeat(titles.length)} --- |`)
  const failures: string[] = []
  for (const scenario of scenarios) {
    const { books, failure } = await runMqttScenario(scenario, seed, forMs)
    const cells = Object.values(COLUMNS).map((of) => (books === undefined ? '' : String(of(books))))
    console.log(`| ${scenario.name} | ${cells.join(' | ')} | ${failure === undefined ? 'good' : 'FAILED'} |`)
    if (failure !== undefined) failures.push(failure)
  }
  for (const failure of failures) console.error(`\n${failure}`)
  return failures.length === 0 ? 0 : 1
}
