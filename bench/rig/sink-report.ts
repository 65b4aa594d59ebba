// What the sink tells; apart from sink.ts, which is a program.

import { MOST_SENDERS } from './numbered.ts'

/** The key of a sender's numbers in a lane; the first lane's is the sender itself. */
export const laneKey = (lane: number, sender: number): number => lane * MOST_SENDERS + sender

export interface SinkReport {
  readonly kind: 'report'
  readonly items: number
  /** Without those of numbers that were received again. */
  readonly distinctItems: number
  readonly requests: number
  readonly bytes: number
  readonly refused: number
  /** Numbers received, by laneKey(). */
  readonly numbers: ReadonlyMap<number, Uint8Array>
  /** Numbers refused for good, or rejected by a partial success, by laneKey(). */
  readonly rejected: ReadonlyMap<number, Uint8Array>
  /** Items of all requests refused for good and rejected by partial successes. */
  readonly rejectedItems: number
  /** Numbers that were received again. */
  readonly duplicates: number
  /** Items received whose answer was late or withheld, so that the sender has to send them again. */
  readonly unansweredItems: number
  /** Of one request. */
  readonly largestItems: number
}
