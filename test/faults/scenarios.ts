// The scenarios, as data: which plant file, who sends, and what happens meanwhile.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SinkMode } from '../../bench/rig/sink.ts'
import { moveClock, movedClock } from './moved-clock.ts'
import type { Plant } from './plant.ts'
import type { Scenario, Step } from './run.ts'
import { mountSmallDisk, smallFiles } from './small-disk.ts'

const BOTH_DOORS: Scenario['senders'] = [
  { protocol: 'grpc', spansPerRequest: 10, inFlight: 16 },
  { protocol: 'http', spansPerRequest: 7, inFlight: 8 },
]

/** Slower, where the router answers before the sink has anything. */
const PACED: Scenario['senders'] = BOTH_DOORS.map((sender) => ({ ...sender, pauseMs: 20 }))

const plant = (changes: Partial<Plant>): Plant => ({ exporter: 'grpc', batch: true, queue: 'memory', ...changes })

const pick = <T>(random: () => number, from: readonly T[]): T => from[Math.floor(random() * from.length)]!

const repeat = (times: number, steps: () => readonly Step[]): Step[] => Array.from({ length: times }, steps).flat()

/** FAULT_KILLS makes the long form shorter. */
const LONG_KILLS = Number(process.env.FAULT_KILLS ?? 500)

/** Between kills the sink is in one of these, in this proportion. */
const MOODS_BETWEEN_KILLS: readonly SinkMode[] = ['answer', 'answer', 'answer', 'refuse', 'stall', 'reset']

/** Kills at random moments, every fourth of them again during the start that follows. */
function kills(random: () => number, count: number): Step[] {
  const steps: Step[] = []
  for (let done = 0; done < count; ) {
    const twice = random() < 0.25 && done + 2 <= count
    steps.push({ do: 'sink', mode: pick(random, MOODS_BETWEEN_KILLS) })
    steps.push({ do: 'serve', forMs: random() * 250 })
    steps.push(twice ? { do: 'kill', againAfterMs: random() * 400 } : { do: 'kill' })
    done += twice ? 2 : 1
  }
  return [...steps, { do: 'sink', mode: 'answer' }, { do: 'serve', forMs: 300 }]
}

const killed = (words: string, shortKills: number, of: Plant): Scenario => ({
  name: `kill -9 at random moments, ${words}: nothing that was answered OK is lost`,
  plant: of,
  senders: BOTH_DOORS,
  steps: (random, long) => kills(random, long ? LONG_KILLS : shortKills),
})

export const KILLS: readonly Scenario[] = [
  killed('the usual plant file with its queue on disk', 10, plant({ queue: 'disk' })),
  killed('a queue on disk and no batch', 10, plant({ queue: 'disk', batch: false, exporter: 'http' })),
  killed('without batch and queue', 5, plant({ batch: false, queue: 'none' })),
]

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

const PLANTS: readonly (readonly [words: string, plant: Plant])[] = [
  ['with the queue in memory', plant({ exporter: 'http' })],
  ['delivered without a queue', plant({ queue: 'none', delivery: 'delivered' })],
  ['with the queue on disk', plant({ queue: 'disk' })],
]

/** Each mood with each plant. The short form takes each mood once, and each plant about as often. */
export const SINK_MOODS: readonly Scenario[] = MOODS.flatMap(([mood, modes], index) =>
  PLANTS.map(
    ([words, of], at): Scenario => ({
      name: `the sink ${mood}, ${words}: nothing is lost`,
      plant: of,
      senders: PACED,
      longOnly: index % PLANTS.length !== at,
      steps: (random, long) =>
        repeat(long ? 20 : 1, () => [
          ...modes.flatMap((mode): Step[] => [
            { do: 'sink', mode },
            { do: 'serve', forMs: 600 + random() * 200 },
          ]),
          { do: 'sink', mode: 'answer' },
          { do: 'serve', forMs: 200 },
        ]),
    }),
  ),
)

/** The last word is the sender's: it hears of each refusal, and its retry delivers. */
const PASSED_ON: Scenario = {
  name: 'delivered without a queue, an exporter that tries once and a sink that refuses: senders hear of it, through batch, and their retries deliver',
  plant: plant({ queue: 'none', delivery: 'delivered', retries: false }),
  senders: PACED,
  refuses: 'sometimes',
  steps: (_, long) =>
    repeat(long ? 20 : 1, () => [
      { do: 'sink', mode: 'refuse' },
      { do: 'serve', forMs: 500 },
      { do: 'sink', mode: 'answer' },
      { do: 'serve', forMs: 300 },
    ]),
}

const FOR_RESTARTS: readonly Scenario[] = PLANTS.map(([words, of]) => ({
  name: `SIGTERM and a new start under load, ${words}: nothing is lost`,
  plant: of,
  senders: PACED,
  steps: (random, long) => repeat(long ? 50 : 1, () => [{ do: 'serve', forMs: random() * 400 }, { do: 'restart' }]),
}))

/**
 * The edges stay; processors, and what the exporter is told, change under load. The sink always answers: it is given the time
 * to, and what comes twice is the router's doing.
 */
const RELOADS: readonly Scenario[] = PLANTS.map(([words, of]) => ({
  name: `reloads under load, ${words}: nothing is lost, nothing is refused`,
  plant: { ...of, timeoutMs: 20_000 },
  senders: PACED,
  refuses: 'never',
  steps: (random, long) =>
    repeat(long ? 50 : 1, () =>
      [{ mark: 'north' }, { mark: 'south', batch: false }, { queueLines: ['num_consumers: 7'] }, {}].flatMap(
        (changes): Step[] => [
          { do: 'serve', forMs: random() * 200 },
          { do: 'reload', plant: { ...of, timeoutMs: 20_000, ...changes } },
        ],
      ),
    ),
}))

/** The sink stalls until the disk is full; a kill in the middle; then it all drains. */
const diskFills = (words: string, needs: NonNullable<Scenario['needs']>): Scenario => ({
  name: `${words}: senders are refused with a time to wait, and nothing is lost`,
  plant: plant({ queue: 'disk', batch: false }),
  senders: [
    { protocol: 'grpc', spansPerRequest: 100, inFlight: 16 },
    { protocol: 'http', spansPerRequest: 70, inFlight: 8 },
  ],
  needs,
  refuses: 'with a hint',
  steps: (random, long) =>
    repeat(long ? 20 : 1, () => [
      { do: 'sink', mode: 'stall' },
      { do: 'serve', forMs: 1500 + random() * 200 },
      { do: 'kill' },
      { do: 'serve', forMs: 500 },
      { do: 'sink', mode: 'answer' },
      { do: 'serve', forMs: 1000 },
    ]),
})

const FULL_DISKS: readonly Scenario[] = [
  diskFills('a disk that is full', () => {
    const disk = mountSmallDisk(8)
    if (typeof disk === 'string') return disk
    return { storageFolder: join(disk.folder, 'queue'), release: () => disk.release() }
  }),
  diskFills('files that cannot grow', () => {
    const through = smallFiles(2)
    return typeof through === 'string' ? through : { start: { through } }
  }),
]

const HOUR_SECONDS = 3600

const clockJumps = (words: string, of: Plant): Scenario => {
  let file = ''
  const jump = (what: string, seconds: number): Step[] => [
    { do: 'call', what: `clock ${what}`, call: () => moveClock(file, seconds) },
    { do: 'serve', forMs: 200 },
  ]
  return {
    name: `the clock jumps, ${words}: nothing is lost`,
    plant: of,
    senders: PACED,
    needs: () => {
      const folder = mkdtempSync(join(tmpdir(), 'millrace-clock-'))
      file = join(folder, 'clock')
      const env = movedClock(file)
      const release = (): void => rmSync(folder, { recursive: true })
      if (typeof env !== 'string') return { start: { env }, release }
      release()
      return env
    },
    steps: (_, long) =>
      repeat(long ? 20 : 1, () => [
        ...jump('an hour back', -HOUR_SECONDS),
        { do: 'sink', mode: 'stall' },
        ...jump('two days forward', 48 * HOUR_SECONDS),
        ...(of.queue === 'disk' ? [{ do: 'kill' } as const] : []),
        ...jump('to 1970', -56 * 365 * 24 * HOUR_SECONDS),
        { do: 'sink', mode: 'answer' },
        ...jump('right', 0),
      ]),
  }
}

export const OPERATIONS: readonly Scenario[] = [
  PASSED_ON,
  ...FOR_RESTARTS,
  ...RELOADS,
  ...FULL_DISKS,
  clockJumps('with the queue on disk', plant({ queue: 'disk' })),
]

/** That the harness is not blind: here it has to see losses. */
export const LOSSES: readonly Scenario[] = [
  {
    name: 'kill -9 with the queue in memory loses what it held, and the books show it',
    plant: plant({}),
    senders: BOTH_DOORS,
    loses: true,
    steps: () => [
      { do: 'sink', mode: 'stall' },
      { do: 'serve', forMs: 600 },
      { do: 'kill' },
      { do: 'serve', forMs: 100 },
    ],
  },
]

export const SCENARIOS: readonly Scenario[] = [...KILLS, ...SINK_MOODS, ...OPERATIONS, ...LOSSES]
