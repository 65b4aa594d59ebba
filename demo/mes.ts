// The software beside the machines: a small manufacturing execution system in three services, each with its own OTLP protocol.
//
//   machines --> mes (gRPC) --> quality (HTTP/protobuf)      each piece is judged and booked
//                    '--------> warehouse (HTTP/JSON)        each order takes its material, and brings its pieces
//
// What happens to orders and pieces comes over MQTT, from the devices themselves: the traces belong to the same orders.

import { Failure, post, Service } from './service.ts'
import { type OtlpProtocol, startTelemetry } from './telemetry.ts'

export interface MesOptions {
  /** `http://host:port` of OTLP/gRPC and of OTLP/HTTP. */
  readonly grpcEndpoint: string
  readonly httpEndpoint: string
  readonly exportEveryMs?: number
  /** Uniform in [0, 1). */
  readonly random?: () => number
}

/** What a device says of an order or a piece (docs/simulator.md). */
export interface ShopFloorEvent {
  readonly device_id: string
  readonly order_number: string
  readonly product_code: string
  readonly event?: 'started' | 'completed'
  readonly quantity?: number
  readonly produced?: number
  readonly scrap?: number
  readonly serial?: number
  readonly result?: 'pass' | 'fail'
}

export interface Mes {
  take(event: ShopFloorEvent): void
  stop(): Promise<void>
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export async function startMes(options: MesOptions): Promise<Mes> {
  const { exportEveryMs = 1_000, random = Math.random } = options
  const between = (from: number, to: number): number => from + random() * (to - from)
  const telemetry = (service: string, protocol: OtlpProtocol) =>
    startTelemetry({
      service,
      protocol,
      endpoint: protocol === 'grpc' ? options.grpcEndpoint : options.httpEndpoint,
      exportEveryMs,
    })
  const postgres = (collection: string) => ({ 'db.system.name': 'postgresql', 'db.collection.name': collection })

  const warehouse = new Service('warehouse', telemetry('warehouse', 'http/json'), async (work) => {
    const slow = random() < 0.05
    await work.step('SELECT stock', postgres('stock'), () => pause(slow ? between(300, 900) : between(2, 15)))
    if (slow) work.log('WARN', 'the stock table was slow', work.facts)
    await work.step('INSERT movements', postgres('movements'), () => pause(between(2, 8)))
    work.log('INFO', 'material booked', work.facts)
  })
  const warehousePort = await warehouse.start()

  const quality = new Service('quality', telemetry('quality', 'http/protobuf'), async (work) => {
    await work.step('check tolerances', { 'inspection.characteristics': 6 }, () => pause(between(1, 6)))
    await work.step('INSERT inspections', postgres('inspections'), () => pause(between(2, 9)))
    if (work.path.endsWith('/fail')) {
      work.log('WARN', 'the piece is no good', work.facts)
      throw new Failure(422, 'the piece is no good')
    }
    work.log('INFO', 'the piece is good', work.facts)
  })
  const qualityPort = await quality.start()

  const mes = new Service('mes', telemetry('mes', 'grpc'), async (work) => {
    await work.step('read order', postgres('work_orders'), () => pause(between(1, 5)))
    const isPiece = work.path.startsWith('/pieces')
    const status = await work.call(isPiece ? qualityPort : warehousePort, work.path)
    if (isPiece && status === 422) {
      await work.step('book scrap', postgres('work_orders'), () => pause(between(1, 5)))
      return
    }
    if (status >= 400) throw new Failure(502, `answered ${status}`)
    await work.step(isPiece ? 'book piece' : 'update order', postgres('work_orders'), () => pause(between(1, 5)))
    work.log('INFO', isPiece ? 'piece booked' : `order ${work.path.split('/').at(-1)}`, work.facts)
  })
  const mesPort = await mes.start()

  let open = true
  let count = 0
  const underWay = new Set<Promise<unknown>>()
  return {
    take(event) {
      if (!open) return
      const { event: kind, result = 'pass' } = event
      // The number in the path tells one request from the next, and is not in the route.
      const path = kind === undefined ? `/pieces/${++count}/${result}` : `/orders/${++count}/${kind}`
      const done: Promise<unknown> = post(mesPort, path, { facts: event }).then(() => underWay.delete(done))
      underWay.add(done)
    },
    async stop() {
      open = false
      await Promise.all(underWay)
      await Promise.all([mes, quality, warehouse].map((service) => service.stop()))
    },
  }
}
