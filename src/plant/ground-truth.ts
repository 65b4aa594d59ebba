// What really happened in a run: times, pieces and OEE of each machine, its breakdowns, and the readings that went wrong.
// Whoever derives such figures from the messages is judged by this.
//
//   availability   run time / planned time           run time keeps short stops, as oee.com has it
//   performance    ideal time of all pieces / run time
//   quality        ideal time of good pieces / ideal time of all pieces
//   oee            ideal time of good pieces / planned time
//
// All times are in seconds from the start. The seconds of each state are there too, for those who count otherwise.

import type { Device } from './device.ts'
import type { MachineState, Tally } from './production.ts'

export interface Span {
  readonly from_s: number
  readonly to_s: number
}

export interface MachineTruth {
  readonly planned_s: number
  readonly run_s: number
  readonly seconds: Readonly<Record<MachineState, number>>
  readonly total: number
  readonly good: number
  readonly scrap: number
  readonly ideal_s: number
  readonly ideal_good_s: number
  /** Absent where they would divide by nothing. */
  readonly availability?: number
  readonly performance?: number
  readonly quality?: number
  readonly oee?: number
  readonly stops: readonly (Span & { readonly state: MachineState; readonly reason: string })[]
}

export interface DeviceTruth {
  readonly type: string
  readonly line: string
  /** Of machines that make pieces. */
  readonly production?: MachineTruth
  readonly anomalies: readonly (Span & {
    readonly kind: string
    readonly metric: string
    readonly by: number
    /** A breakdown followed at once. */
    readonly before_fault: boolean
  })[]
  readonly episodes: readonly (Span & { readonly kind: string; readonly by?: number })[]
}

export interface GroundTruth {
  readonly seed: number
  readonly start: string
  readonly seconds: number
  readonly devices: Readonly<Record<string, DeviceTruth>>
}

export interface Run {
  readonly seed: number
  readonly startMs: number
  readonly seconds: number
  readonly devices: readonly Device[]
}

export function truthOf({ seed, startMs, seconds, devices }: Run): GroundTruth {
  return {
    seed,
    start: new Date(startMs).toISOString(),
    seconds,
    devices: Object.fromEntries(devices.map((device) => [device.id, deviceTruth(device, seconds)])),
  }
}

function deviceTruth(device: Device, endS: number): DeviceTruth {
  const { spec, production, anomalies, episodes, states } = device
  const faults = states.filter(({ state }) => state === 'fault')
  return {
    type: spec.type,
    line: spec.line,
    ...(production === undefined ? {} : { production: machineTruth(production.tally, device, endS) }),
    anomalies: anomalies.all
      .filter(({ fromS }) => fromS < endS)
      .map(({ kind, metric, by, fromS, toS }) => ({
        kind,
        metric,
        by,
        from_s: fromS,
        to_s: Math.min(toS, endS),
        before_fault: faults.some(({ atS }) => atS >= toS - 1 && atS <= toS + 1),
      })),
    episodes: episodes.map(({ kind, fromS, toS, by }) => ({
      kind,
      from_s: fromS,
      to_s: Math.min(toS, endS),
      ...(by === undefined ? {} : { by }),
    })),
  }
}

function machineTruth(tally: Tally, { states }: Device, endS: number): MachineTruth {
  const { seconds, total, scrap, idealSeconds, idealGoodSeconds } = tally
  const all = Object.values(seconds).reduce((sum, one) => sum + one, 0)
  const planned = all - seconds.off
  const run = seconds.running + seconds.micro_stop
  return {
    planned_s: planned,
    run_s: run,
    seconds: { ...seconds },
    total,
    good: total - scrap,
    scrap,
    ideal_s: idealSeconds,
    ideal_good_s: idealGoodSeconds,
    ...(planned === 0 ? {} : { availability: run / planned, oee: idealGoodSeconds / planned }),
    ...(run === 0 ? {} : { performance: idealSeconds / run }),
    ...(idealSeconds === 0 ? {} : { quality: idealGoodSeconds / idealSeconds }),
    stops: states.flatMap(({ atS, state, reason }, at) =>
      state === 'running' ? [] : [{ state, reason, from_s: atS, to_s: states[at + 1]?.atS ?? endS }],
    ),
  }
}
