// One small request at a time, to see when a router begins to serve, and what it answers.

import { type Answer, otlpClient } from '../../test/support/otlp-client.ts'
import type { Protocol } from './load.ts'
import { payload, type Signal } from './payloads.ts'

/** True when a request of one item was accepted; false when nobody listens yet, or it was refused. */
export const tryRequest = async (protocol: Protocol, port: number, signal: Signal = 'traces'): Promise<boolean> =>
  (await ask(protocol, port, signal)).kind === 'ok'

/** What a request is answered with, of one item by default, on a connection of its own. */
export async function ask(protocol: Protocol, port: number, signal: Signal = 'traces', items = 1): Promise<Answer> {
  const client = otlpClient(protocol, port, ANSWER_WITHIN_MS, signal)
  const answer = await client.export(payload({ signal, items }))
  client.close()
  return answer
}

/** As long as the benches wait for anything. */
const ANSWER_WITHIN_MS = 120_000
