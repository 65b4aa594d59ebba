// The books of a run: what the senders were told, what the sink has, and what the router counted, compared span by span.
//
//   lost        answered OK, neither at the sink nor refused there for good: must be none
//   duplicates  at the sink more than once: at most what was under way at a kill, or went without an answer
//   unexplained refused at the door without being counted there, or refused by the sink without being counted

import { countMissing, countNumbers } from '../../bench/rig/numbered.ts'
import type { SinkReport } from '../../bench/rig/sink.ts'
import type { Fates } from './sender.ts'

export interface RouterBooks {
  readonly kills: number
  /** Refusals that senders heard and that receiver_refused_* did not count, over all lives that were asked. */
  readonly unexplainedRefusals: number
  /** Spans that exporters count as given up or rejected, over all lives that were asked. */
  readonly lostByExporters: number
  /** What exporters have under way at a time, in requests. */
  readonly exportsUnderWay: number
}

export interface Books {
  readonly kills: number
  readonly sent: number
  readonly acknowledged: number
  /** Different ones at the sink. */
  readonly delivered: number
  readonly lost: number
  readonly duplicates: number
  readonly duplicatesAtMost: number
  /** Answers to senders; a span that was refused twice counts twice. */
  readonly refused: number
  readonly unexplainedRefusals: number
  /** By the sink, for good. */
  readonly rejected: number
  readonly unexplainedRejections: number
}

export function reconcile(senders: ReadonlyMap<number, Fates>, sink: SinkReport, router: RouterBooks): Books {
  const all = [...senders.values()]
  const sum = (of: (fates: Fates) => number): number => all.reduce((total, fates) => total + of(fates), 0)
  let lost = 0
  for (const [id, { acknowledged }] of senders)
    lost += countMissing(acknowledged.bits, sink.numbers.get(id), sink.rejected.get(id))
  const refused = sum((fates) => fates.refused)
  return {
    kills: router.kills,
    sent: sum((fates) => fates.sent),
    acknowledged: sum((fates) => fates.acknowledged.size),
    delivered: [...sink.numbers.values()].reduce((total, bits) => total + countNumbers(bits), 0),
    lost,
    duplicates: sink.duplicates,
    duplicatesAtMost:
      sum((fates) => fates.unanswered) +
      sink.unansweredItems +
      router.kills * router.exportsUnderWay * sink.largestItems,
    refused,
    unexplainedRefusals: router.unexplainedRefusals,
    rejected: sink.rejectedItems,
    unexplainedRejections: Math.max(0, sink.rejectedItems - router.lostByExporters),
  }
}
