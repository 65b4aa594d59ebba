// Wall clocks: days of the calendar, and a time zone with its daylight saving.

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const
export const daysIn = (year: number, month: number): number => (month === 2 && isLeap(year) ? 29 : DAYS[month - 1]!)

/** Midnight UTC of a day of the Gregorian calendar; years of two digits stay what they are. */
export function utcMs(year: number, month: number, day: number): number {
  // Days from the civil calendar, years beginning in March so that the leap day comes last.
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return (era * 146_097 + dayOfEra - 719_468) * 86_400_000
}

// Offsets change at whole quarters of an hour everywhere.
const SLOT_MS = 900_000
const SLOTS_MAX = 1024

/** A time zone with its daylight saving. */
export class Zone {
  readonly #format: Intl.DateTimeFormat | undefined
  readonly #offsets = new Map<number, number>()

  /** Throws RangeError where there is no such zone. */
  constructor(name: string) {
    if (name === 'UTC') return
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  /**
   * The moment that the wall clock of the zone shows as `localMs` (read as if it were UTC). Of the two moments in the hour
   * that comes twice, the one nearer to `nearMs`; a time in the hour that is left out counts on from before it.
   */
  toUtc(localMs: number, nearMs: number): number {
    if (this.#format === undefined) return localMs
    // A day to either side, the offset has changed at most once.
    const before = this.offsetAt(localMs - 86_400_000)
    const after = this.offsetAt(localMs + 86_400_000)
    const early = localMs - before
    if (before === after) return early
    const late = localMs - after
    const earlyHolds = this.offsetAt(early) === before
    const lateHolds = this.offsetAt(late) === after
    if (earlyHolds && lateHolds) return Math.abs(nearMs - late) < Math.abs(nearMs - early) ? late : early
    return lateHolds ? late : early
  }

  /** What the zone's wall clock is ahead of UTC at a moment. */
  offsetAt(utc: number): number {
    if (this.#format === undefined) return 0
    const slot = Math.floor(utc / SLOT_MS)
    const known = this.#offsets.get(slot)
    if (known !== undefined) return known
    if (this.#offsets.size >= SLOTS_MAX) this.#offsets.clear()
    const at = slot * SLOT_MS
    const parts: Record<string, number> = {}
    for (const { type, value } of this.#format.formatToParts(at)) parts[type] = Number(value)
    const day = utcMs(parts.year!, parts.month!, parts.day!)
    const offset = day + (parts.hour! * 3600 + parts.minute! * 60 + parts.second!) * 1000 - at
    this.#offsets.set(slot, offset)
    return offset
  }
}

/** Whether there is a time zone of this name. */
export function isZone(name: string): boolean {
  try {
    new Zone(name)
    return true
  } catch {
    return false
  }
}
