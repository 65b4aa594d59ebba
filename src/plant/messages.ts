// What devices say, and how it looks on a broker.
//
//   devices/ID/data        {"device_id", "timestamp", "metrics": [{"name", "value", "unit"}]}     every so often
//   devices/ID/status      {"device_id", "timestamp", "status", ...}                  retained, when it changes
//   devices/ID/heartbeat   {"device_id", "timestamp", "status"}
//   orders/NUMBER/events   an order begins or is done        quality/ID/inspections   a piece is made
//
// Times are those of the device's own clock.

import type { MachineState, Order } from './production.ts'
import type { Reading } from './signals.ts'

/** DeviceStatus of the messages. */
export const STATUS_WORDS = {
  off: 'Idle',
  setup: 'Idle',
  micro_stop: 'Idle',
  running: 'Running',
  maintenance: 'Maintenance',
  fault: 'Error',
} as const satisfies Record<MachineState, string>
export type StatusWord = (typeof STATUS_WORDS)[MachineState]

/** An order as it was at that moment. */
export interface OrderFacts {
  readonly number: string
  readonly product: string
  readonly quantity: number
  readonly produced: number
  readonly scrap: number
}

export const factsOf = ({ number, product, quantity, produced, scrap }: Order): OrderFacts => ({
  number,
  product: product.code,
  quantity,
  produced,
  scrap,
})

export type Word =
  | { readonly kind: 'data'; readonly readings: readonly Reading[] }
  /** `reason` may be empty. */
  | {
      readonly kind: 'status'
      readonly status: StatusWord
      readonly reason: string
      readonly order: OrderFacts | undefined
    }
  | { readonly kind: 'heartbeat'; readonly status: StatusWord }
  | { readonly kind: 'order'; readonly event: 'started' | 'completed'; readonly order: OrderFacts }
  | { readonly kind: 'inspection'; readonly result: 'pass' | 'fail'; readonly order: OrderFacts }

export interface PlantMessage {
  readonly kind: 'message'
  /** When it is sent, in milliseconds since 1970; not what the device's clock says. */
  readonly atMs: number
  /** What the device's clock said when it was made. */
  readonly deviceMs: number
  /** It was kept while there was no connection. */
  readonly isLate: boolean
  readonly device: string
  readonly word: Word
}

/** A connection that is lost, without a word, or is there again. */
export interface PlantConnection {
  readonly kind: 'disconnected' | 'connected'
  readonly atMs: number
  readonly device: string
}

export type PlantEvent = PlantMessage | PlantConnection

/** A message as it goes to a broker. */
export interface TopicMessage {
  readonly topic: string
  readonly payload: string
  readonly retain: boolean
}

export function topicMessage({ device, deviceMs, word }: PlantMessage): TopicMessage {
  const head = { device_id: device, timestamp: new Date(deviceMs).toISOString() }
  const say = (topic: string, body: object, retain = false): TopicMessage => ({
    topic,
    payload: JSON.stringify({ ...head, ...body }),
    retain,
  })
  switch (word.kind) {
    case 'data':
      return say(`devices/${device}/data`, {
        metrics: word.readings.map(([name, value, unit]) => ({ name, value, unit })),
      })
    case 'status': {
      const { status, reason, order } = word
      return say(
        `devices/${device}/status`,
        {
          status,
          ...(reason === '' ? {} : { reason }),
          ...(order === undefined ? {} : { order_number: order.number, product_code: order.product }),
        },
        true,
      )
    }
    case 'heartbeat':
      return say(`devices/${device}/heartbeat`, { status: word.status })
    case 'order': {
      const { number: order_number, product: product_code, quantity, produced, scrap } = word.order
      const body = { event: word.event, order_number, product_code, quantity, produced, scrap }
      return say(`orders/${order_number}/events`, body)
    }
    case 'inspection': {
      const { number: order_number, product: product_code, produced: serial } = word.order
      return say(`quality/${device}/inspections`, { order_number, product_code, serial, result: word.result })
    }
  }
}
