// The scenarios, as data: which plant file, who sends, and what happens meanwhile.

import type { SinkMode } from '../../bench/sink.ts'
import type { Plant } from './plant.ts'
import type { Scenario, Step } from './run.ts'

const BOTH_DOORS: Scenario['senders'] = [
  { protocol: 'grpc', spansPerRequest: 10, inFlight: 16 },
  { protocol: 'http', spansPerRequest: 7, inFlight: 8 },
]

/** Slower, where the router answers before the sink has anything. */
const PACED: Scenario['senders'] = BOTH_DOORS.map((sender) => ({ ...sender, pauseMs: 20 }))

const plant = (changes: Partial<Plant>): Plant => ({ exporter: 'grpc', batch: true, queue: 'memory', ...changes })

const SHORT_KILLS = 20
const LONG_KILLS = 500

/** Between kills the sink is in one of these, in this proportion. */
const MOODS_BETWEEN_KILLS: readonly SinkMode[] = ['answer', 'answer', 'answer', 'refuse', 'stall', 'reset']

const pick = <T>(random: () => number, from: readonly T[]): T => from[Math.floor(random() * from.length)]!

/** Kills at random moments, every fourth of them again during the start that follows. */
function kills(count: number, serveAtMostMs = 250): (random: () => number) => readonly Step[] {
  return (random) => {
    const steps: Step[] = []
    for (let done = 0; done < count; ) {
      const twice = random() < 0.25 && done + 2 <= count
      steps.push({ do: 'sink', mode: pick(random, MOODS_BETWEEN_KILLS) })
      steps.push({ do: 'serve', forMs: random() * serveAtMostMs })
      steps.push(twice ? { do: 'kill', againAfterMs: random() * 400 } : { do: 'kill' })
      done += twice ? 2 : 1
    }
    return [...steps, { do: 'sink', mode: 'answer' }, { do: 'serve', forMs: 300 }]
  }
}

const killed = (name: string, of: Plant): Scenario => ({
  name: `kill -9 at random moments, ${name}: nothing that was answered OK is lost`,
  plant: of,
  senders: BOTH_DOORS,
  steps: (random, long) => kills(long ? LONG_KILLS : SHORT_KILLS)(random),
})

export const KILLS: readonly Scenario[] = [killed('without batch and queue', plant({ batch: false, queue: 'none' }))]

/** While the sink is in a mood, and after it. */
const through = (name: string, modes: readonly SinkMode[], of: Plant): Scenario => ({
  name,
  plant: of,
  senders: PACED,
  steps: (random, long) =>
    Array.from({ length: long ? 20 : 1 }, () => [
      ...modes.flatMap((mode): Step[] => [
        { do: 'sink', mode },
        { do: 'serve', forMs: 600 + random() * 200 },
      ]),
      { do: 'sink', mode: 'answer' } as const,
      { do: 'serve', forMs: 200 } as const,
    ]).flat(),
})

const MOODS: readonly (readonly [words: string, modes: readonly SinkMode[]])[] = [
  ['stalls', ['stall']],
  ['refuses for a while', ['refuse']],
  ['refuses for good', ['reject']],
  ['resets connections', ['reset']],
  ['answers after the timeout of the exporter', ['late']],
  ['answers with partial success', ['partial']],
  ['dies and comes back', ['away']],
  ['has one mood after the other', ['stall', 'reset', 'refuse', 'away', 'late']],
]

export const SINK_MOODS: readonly Scenario[] = (
  [
    ['with the queue in memory', { queue: 'memory', exporter: 'http' }],
    ['without a queue, delivered', { queue: 'none', delivery: 'delivered' }],
  ] as const
).flatMap(([words, changes]) =>
  MOODS.map(([mood, modes]) => through(`the sink ${mood}, ${words}`, modes, plant(changes))),
)

export const RESTARTS: readonly Scenario[] = [
  {
    name: 'SIGTERM and a new start under load, with the queue in memory: nothing is lost',
    plant: plant({ queue: 'memory' }),
    senders: PACED,
    steps: (random, long) =>
      Array.from({ length: long ? 50 : 3 }, (): Step[] => [
        { do: 'serve', forMs: random() * 400 },
        { do: 'restart' },
      ]).flat(),
  },
]

/** That the harness is not blind: here it has to see losses. */
export const LOSSES: readonly Scenario[] = [
  {
    name: 'kill -9 with the queue in memory loses what it held, and the books show it',
    plant: plant({ queue: 'memory' }),
    senders: BOTH_DOORS,
    mayLose: true,
    steps: () => [
      { do: 'sink', mode: 'stall' },
      { do: 'serve', forMs: 600 },
      { do: 'kill' },
      { do: 'serve', forMs: 100 },
    ],
  },
]
