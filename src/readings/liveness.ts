// Whether devices still send: each has an interval that is learned from it, and is silent when it has sent nothing for
// some times that long.
//
//   seen ──────── seen ──────── seen ─ ─ ─ ─ ─ ─ ─ ─ silent       limit = factor * interval, at least minSilence
//        interval      interval
//
// The interval is the longest pause of late: it rises at once and falls slowly, so that a device that sends in bursts, or
// sleeps deeply, is not called silent between them. Two pauses are waited for before anything is said. While we are cut
// off from the broker nobody knows: forget() begins anew without a word of silence.

import { ClockSkew } from './clock-skew.ts'

export interface LivenessRules {
  readonly silenceFactor: number
  readonly minSilenceMs: number
}

/** Of one source; what it sends touches nothing but two numbers. */
export class Presence {
  seenMs = 0
  intervalMs = 0
  pauses = 0
  isSilent = false
  /** Said by someone who knows, such as its last will; until it sends again. */
  isGone = false
  /** Its series have ended; until it sends again. */
  isEnded = false
  readonly skew = new ClockSkew()

  /** Something came. */
  see(receivedMs: number): void {
    if (receivedMs <= this.seenMs) return
    // The pause that silence was told for teaches nothing, nor does the time that we were away.
    if (this.seenMs > 0 && !this.isSilent) {
      const pause = receivedMs - this.seenMs
      this.intervalMs = pause > this.intervalMs ? pause : this.intervalMs + (pause - this.intervalMs) / 16
      this.pauses++
    }
    this.seenMs = receivedMs
    this.isGone = false
    this.isEnded = false
  }

  /** Nobody knows, until it is seen again; what was learned stays. */
  forget(): void {
    this.seenMs = 0
  }
}

export const PRESENCE = { UNKNOWN: 0, UP: 1, SILENT: 2, CAME_BACK: 3, FELL_SILENT: 4 } as const
export type PresenceVerdict = (typeof PRESENCE)[keyof typeof PRESENCE]

/** CAME_BACK and FELL_SILENT are said once. */
export function judge(presence: Presence, nowMs: number, rules: LivenessRules): PresenceVerdict {
  if (presence.seenMs === 0 || presence.pauses < 2 || presence.isGone) return PRESENCE.UNKNOWN
  const limitMs = Math.max(rules.minSilenceMs, rules.silenceFactor * presence.intervalMs)
  const isSilent = nowMs - presence.seenMs > limitMs
  if (isSilent === presence.isSilent) return isSilent ? PRESENCE.SILENT : PRESENCE.UP
  presence.isSilent = isSilent
  return isSilent ? PRESENCE.FELL_SILENT : PRESENCE.CAME_BACK
}
