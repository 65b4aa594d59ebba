// The OTLP receiver: opens its servers, and closes them HTTP first, as the Collector does.

import type { Receiver, ReceiverContext } from '../../graph/component.ts'
import type { GrpcServer } from '../../net/grpc/engine.ts'
import type { HttpServerHandle } from '../../net/http/server.ts'
import { type Listening, listenersOf } from '../../net/listen.ts'
import type { OtlpConfig } from './config.ts'
import { createOtlpGrpc, maxMessageBytes } from './grpc.ts'
import { maxBodyBytes, startOtlpHttp } from './http.ts'
import { Intake } from './intake.ts'

export class OtlpReceiver implements Receiver {
  readonly #cfg: OtlpConfig
  readonly #context: ReceiverContext
  #grpc: GrpcServer | undefined
  #http: HttpServerHandle | undefined
  /** The addresses in use once it is started, for whoever asked for port 0. */
  readonly listening: { grpc?: Listening; http?: Listening } = {}

  constructor(cfg: OtlpConfig, context: ReceiverContext) {
    this.#cfg = cfg
    this.#context = context
  }

  async start(): Promise<void> {
    const { grpc, http } = this.#cfg.protocols
    const largest = Math.max(
      grpc === undefined ? 0 : maxMessageBytes(grpc),
      http === undefined ? 0 : maxBodyBytes(http),
    )
    const sharing = this.#context.shards
    const listeners = [grpc, http].map((door) => (door === undefined ? 1 : listenersOf({ ...door, sharing })))
    const intake = new Intake(this.#context, largest, Math.max(...listeners))
    if (grpc !== undefined) {
      this.#grpc = await createOtlpGrpc(grpc, intake, this.#context)
      this.listening.grpc = await this.#grpc.listen()
      this.#say('Starting GRPC server', this.listening.grpc)
    }
    if (http !== undefined) {
      this.#http = await startOtlpHttp(http, intake, this.#context)
      this.listening.http = this.#http
      this.#say('Starting HTTP server', this.listening.http)
    }
  }

  /** Where several shards share the port, one says it for all. */
  #say(what: string, listening: Listening): void {
    if (this.#context.shards.index === 0) this.#context.log.info(what, { endpoint: endpointOf(listening) })
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.#http?.close(deadline)
    await this.#grpc?.close(deadline)
  }
}

function endpointOf({ host, port }: Listening): string {
  if (port === 0) return host
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
