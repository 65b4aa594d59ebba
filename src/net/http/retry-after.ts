// The Retry-After header of an answer (RFC 9110 10.2.3): seconds, or a date.

/** A longer wait is cut to this: what comes after it must stay a number that can be written down again. */
export const LONGEST_RETRY_AFTER_MS = Number.MAX_SAFE_INTEGER

/** How long to wait, from 0 to LONGEST_RETRY_AFTER_MS; 0 when there is no header, or none that lies ahead. */
export function readRetryAfterMs(value: string | undefined, nowMs: number): number {
  if (value === undefined) return 0
  const text = value.trim()
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs
  return waitMs > 0 ? Math.min(waitMs, LONGEST_RETRY_AFTER_MS) : 0
}
