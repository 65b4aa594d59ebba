// A relief that takes everything off a receiver, over a real way between shards, and brings it back to the same receiver:
// what it does with a request must not depend on who received it.

import type { TestContext } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import type { Relief } from '../../src/graph/component.ts'
import type { Batch } from '../../src/otlp/batch.ts'
import { Link } from '../../src/shards/link.ts'

export function loopRelief(t: TestContext): Relief {
  const { port1, port2 } = new MessageChannel()
  let serve: (batch: Batch, note: unknown) => void = () => {}
  const onGone = (): void => {}
  const there = new Link(port1, { take: () => {}, onGone })
  const back = new Link(port2, { take: (_place, batch, note) => serve(batch, note), onGone })
  t.after(() => {
    there.close()
    back.close()
  })
  return {
    next: () => 1,
    hand: (_shard, batch, note) => there.hand('receiver', batch, false, note),
    serve: (take) => {
      serve = take
    },
  }
}
