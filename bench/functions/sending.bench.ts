// What sending costs the router: a queue, a gRPC client or an HTTP client, and the sockets; the next hop is a process of
// its own. Ten requests are on their way at a time.

import { parseConfig } from '../../src/config/testing.ts'
import { Delivery } from '../../src/delivery/delivery.ts'
import { factory as otlpGrpc } from '../../src/exporters/otlp_grpc/factory.ts'
import { factory as otlpHttp } from '../../src/exporters/otlp_http/factory.ts'
import type { Exporter } from '../../src/graph/component.ts'
import { Batch } from '../../src/otlp/batch.ts'
import { exporterContext } from '../rig/exporter-context.ts'
import { payload } from '../rig/payloads.ts'
import { SinkProcess } from '../rig/processes.ts'
import { bench } from './harness.ts'

const AT_A_TIME = 10
/** Requests in one call of run(), so that filling and emptying the pipe is little of it. */
const REQUESTS = 100

const context = exporterContext('traces')

interface Pipe {
  readonly exporter: Exporter
  readonly bytes: Uint8Array
}

async function open(protocol: 'grpc' | 'http', spans: number): Promise<Pipe> {
  const sink = await new SinkProcess().start()
  const plain = { compression: 'none', sending_queue: { num_consumers: AT_A_TIME } }
  const exporter =
    protocol === 'grpc'
      ? otlpGrpc.create(
          parseConfig(otlpGrpc.config, { ...plain, endpoint: `127.0.0.1:${sink.grpcPort}`, tls: { insecure: true } }),
          context,
        )
      : otlpHttp.create(
          parseConfig(otlpHttp.config, { ...plain, endpoint: `http://127.0.0.1:${sink.httpPort}` }),
          context,
        )
  await exporter.start?.()
  return { exporter, bytes: payload({ items: spans }) }
}

/** Sends REQUESTS requests; a new one whenever one has been delivered. */
const send = ({ exporter, bytes }: Pipe, spans: number): Promise<number> =>
  new Promise((resolve, reject) => {
    let begun = 0
    let delivered = 0
    const next = (): void => {
      if (begun === REQUESTS) return
      begun++
      const delivery = new Delivery({
        onDelivered() {
          if (++delivered === REQUESTS) resolve(delivered)
          else next()
        },
        onRefused: reject,
      })
      exporter.export(new Batch('traces', [bytes], spans, delivery))
    }
    for (let i = 0; i < AT_A_TIME; i++) next()
  })

const sending = (protocol: 'grpc' | 'http', spans: number) =>
  bench({
    name: `sending/${protocol}/spans-${spans}`,
    items: REQUESTS * spans,
    bytes: (pipe: Pipe) => REQUESTS * pipe.bytes.length,
    setup: () => open(protocol, spans),
    run: (pipe) => send(pipe, spans),
  })

export default [
  ...[10, 100, 1000].map((spans) => sending('grpc', spans)),
  ...[10, 100, 1000].map((spans) => sending('http', spans)),
]
