// Posts spans to a Jaeger collector by its own gRPC, a call for each resource.
//
//   PostSpansRequest = batch 1
//
// A batch of which some calls were answered and one was not goes on with that one when it is tried again, so that Jaeger
// gets nothing twice from a server that was away for a moment.

import type { Exporter, ExporterContext } from '../../graph/component.ts'
import { JAEGER_POST_SPANS_REQUEST as REQUEST } from '../../jaeger/fields.ts'
import { targetOf } from '../../net/grpc/client-config.ts'
import { GrpcPush } from '../../net/grpc/push.ts'
import type { Batch } from '../../otlp/batch.ts'
import { RemoteHealth } from '../../sending/remote-health.ts'
import { Sending } from '../../sending/sending.ts'
import { Writer } from '../../wire/writer.ts'
import type { JaegerConfig } from './config.ts'
import { Translator } from './translate.ts'

const POST_SPANS = '/jaeger.api_v2.CollectorService/PostSpans'

export class JaegerExporter implements Exporter {
  readonly #sending: Sending
  readonly #server: GrpcPush
  readonly #translator = new Translator()
  /** Of batches that are on their way: how many calls were answered. */
  readonly #posted = new WeakMap<Batch, number>()

  constructor(config: JaegerConfig, context: ExporterContext) {
    const { host, port } = targetOf(config)
    const labels = host === '' ? {} : { 'server.address': host, 'server.port': String(port) }
    const server = new GrpcPush(config, context)
    const health = new RemoteHealth(context, () => server.ready)
    health.observe(context.meter, config.endpoint)
    this.#server = server
    this.#sending = new Sending(context, config, health.watch(this.#push), () => labels)
  }

  async start(): Promise<void> {
    this.#server.start()
    await this.#sending.start()
  }

  export(batch: Batch): void {
    this.#sending.send(batch)
  }

  async stop(deadline?: AbortSignal): Promise<void> {
    await this.#sending.stop(deadline)
    this.#server.close()
  }

  readonly #push = async (batch: Batch, signal: AbortSignal): Promise<void> => {
    const batches = this.#translator.translate(batch.parts)
    for (let i = this.#posted.get(batch) ?? 0; i < batches.length; i++) {
      const body = batches[i]!
      const head = new Writer().tag(REQUEST.BATCH, 2).varint(body.length).toBytes()
      await this.#server.call(POST_SPANS, [head, body], head.length + body.length, batch.client, signal)
      this.#posted.set(batch, i + 1)
    }
  }
}
