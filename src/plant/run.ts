// What a run of a plant is told besides its scenario: when it begins and how fast it goes.

import { readFileSync } from 'node:fs'
import { readScenario, type Scenario } from './scenario.ts'
import { SMALL_PLANT } from './small-plant.ts'

/** The small plant where `path` is empty. Throws a ConfigError for a scenario that cannot be followed, or the system's error. */
export function loadScenario(path: string): Scenario {
  return path === '' ? readScenario(SMALL_PLANT, 'small-plant.yaml') : readScenario(readFileSync(path, 'utf8'), path)
}

export const SPEED_FIX = 'write a number above 0, or max'

/** Seconds of the plant in one second; `max` is Infinity. Undefined for what is no speed. */
export function trySpeed(text: string): number | undefined {
  if (text === 'max') return Number.POSITIVE_INFINITY
  const value = Number(text)
  return text.trim() !== '' && value > 0 && Number.isFinite(value) ? value : undefined
}

export const START_FIX = 'write a time with its zone, for example 2026-01-05T06:00:00Z'

/** Milliseconds since 1970, or undefined for what is no time with a zone. */
export function tryStart(text: string): number | undefined {
  const ms = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isFinite(ms) ? ms : undefined
}
