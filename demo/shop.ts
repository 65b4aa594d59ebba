// A small shop to look at: storefront -> orders -> payments, each its own service with its own OTLP protocol.
//
//   shoppers --> storefront (gRPC) --> orders (HTTP/protobuf) --> payments (HTTP/JSON)
//
// Payments are slow now and then, stock runs out, and a card is declined sometimes. Started by main.ts as a process of
// its own; ends when its parent lets go of it, after it has sent what it holds.

import { Failure, post, Service } from './service.ts'
import { type OtlpProtocol, startTelemetry } from './telemetry.ts'

export interface ShopOptions {
  /** `http://host:port` of OTLP/gRPC and of OTLP/HTTP. */
  readonly grpcEndpoint: string
  readonly httpEndpoint: string
  /** Shoppers a second. */
  readonly shoppersPerSecond?: number
  readonly exportEveryMs?: number
  /** Uniform in [0, 1). */
  readonly random?: () => number
}

export interface Shop {
  stop(): Promise<void>
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export async function startShop(options: ShopOptions): Promise<Shop> {
  const { shoppersPerSecond = 8, exportEveryMs = 1_000, random = Math.random } = options
  const between = (from: number, to: number): number => from + random() * (to - from)
  const telemetry = (service: string, protocol: OtlpProtocol) =>
    startTelemetry({
      service,
      protocol,
      endpoint: protocol === 'grpc' ? options.grpcEndpoint : options.httpEndpoint,
      exportEveryMs,
    })

  const payments = new Service('payments', telemetry('payments', 'http/json'), async (work) => {
    const slow = random() < 0.04
    await work.step('check fraud rules', { 'fraud.rules': 14 }, () => pause(between(2, 9)))
    await work.step('ask the bank', { 'peer.service': 'bank', 'bank.slow': slow }, async () => {
      await pause(slow ? between(500, 1_400) : between(8, 40))
      if (random() < 0.03) throw new Failure(402, 'card declined')
      if (slow && random() < 0.3) throw new Failure(504, 'the bank did not answer')
    })
    if (slow) work.log('WARN', 'the bank was slow', { 'order.path': work.path })
    work.log('INFO', 'payment booked', { 'payment.amount': Math.round(between(5, 200) * 100) / 100 })
  })
  const paymentsPort = await payments.start()

  const orders = new Service('orders', telemetry('orders', 'http/protobuf'), async (work) => {
    await work.step('SELECT stock', { 'db.system.name': 'postgresql', 'db.collection.name': 'stock' }, async () => {
      await pause(between(1, 12))
      if (random() < 0.02) throw new Failure(409, 'out of stock')
    })
    const status = await work.call(paymentsPort, work.path.replace('orders', 'payments'))
    if (status >= 400) {
      work.log('ERROR', 'the payment failed', { 'http.response.status_code': status })
      throw new Failure(status, `payments answered ${status}`)
    }
    await work.step('INSERT orders', { 'db.system.name': 'postgresql', 'db.collection.name': 'orders' }, () =>
      pause(between(2, 8)),
    )
    work.log('INFO', 'order placed', { 'order.items': 1 + Math.floor(random() * 5) })
  })
  const ordersPort = await orders.start()

  const storefront = new Service('storefront', telemetry('storefront', 'grpc'), async (work) => {
    await work.step('read cart', { 'cart.store': 'redis' }, () => pause(between(1, 4)))
    if (work.path.startsWith('/browse')) return pause(between(1, 6))
    const status = await work.call(ordersPort, work.path.replace('checkout', 'orders'))
    if (status >= 500) throw new Failure(502, `orders answered ${status}`)
    if (status >= 400) work.log('WARN', 'the shopper must try again', { 'http.response.status_code': status })
    await work.step('render page', { 'page.template': 'receipt' }, () => pause(between(1, 5)))
    return undefined
  })
  const storefrontPort = await storefront.start()

  let shopper = 0
  let open = true
  const visits = new Set<Promise<unknown>>()
  const visit = (): void => {
    const id = 1_000 + shopper++
    const done: Promise<unknown> = post(storefrontPort, random() < 0.5 ? `/browse/${id}` : `/checkout/${id}`).then(() =>
      visits.delete(done),
    )
    visits.add(done)
  }
  const timer = setInterval(() => open && visit(), 1000 / shoppersPerSecond)
  visit()

  return {
    async stop() {
      open = false
      clearInterval(timer)
      await Promise.all(visits)
      await Promise.all([storefront, orders, payments].map((service) => service.stop()))
    },
  }
}

if (import.meta.main) {
  // Ctrl-C reaches the whole group; the parent says when to end, so that the last spans still find the router.
  process.on('SIGINT', () => {})
  const { SHOP_GRPC_ENDPOINT: grpcEndpoint = '', SHOP_HTTP_ENDPOINT: httpEndpoint = '' } = process.env
  const shop = await startShop({ grpcEndpoint, httpEndpoint })
  const stop = (): void => void shop.stop().finally(() => process.exit(0))
  if (process.connected) process.once('disconnect', stop)
  else stop()
}
