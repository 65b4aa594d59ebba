// When production is planned: shifts and breaks by the time of day, in UTC. Without shifts it always is.

const DAY_MS = 86_400_000

interface Span {
  readonly name: string
  readonly fromMs: number
  readonly toMs: number
}

export interface DaySpan {
  readonly name: string
  /** `HH:MM`. */
  readonly from: string
  readonly to: string
}

/** Milliseconds of the day, or undefined for what is no `HH:MM`. */
export function tryTimeOfDay(text: string): number | undefined {
  const match = /^(\d{2}):(\d{2})$/.exec(text)
  const [hours, minutes] = [Number(match?.[1]), Number(match?.[2])]
  return match === null || hours > 24 || minutes > 59 || hours * 60 + minutes > 1440
    ? undefined
    : (hours * 60 + minutes) * 60_000
}

const spanOf = ({ name, from, to }: DaySpan): Span => ({
  name,
  fromMs: tryTimeOfDay(from)!,
  toMs: tryTimeOfDay(to)!,
})

/** A span may go past midnight: 22:00 to 06:00. */
const has = ({ fromMs, toMs }: Span, timeMs: number): boolean =>
  fromMs < toMs ? timeMs >= fromMs && timeMs < toMs : timeMs >= fromMs || timeMs < toMs

export class Calendar {
  readonly #shifts: readonly Span[]
  readonly #breaks: readonly Span[]

  constructor(shifts: readonly DaySpan[], breaks: readonly DaySpan[]) {
    this.#shifts = shifts.map(spanOf)
    this.#breaks = breaks.map(spanOf)
  }

  /** The shift's name, or undefined when nothing is planned. Without shifts the name is empty. */
  shiftAt(ms: number): string | undefined {
    const time = ((ms % DAY_MS) + DAY_MS) % DAY_MS
    if (this.#breaks.some((span) => has(span, time))) return undefined
    if (this.#shifts.length === 0) return ''
    return this.#shifts.find((span) => has(span, time))?.name
  }
}
