// What the receiver counts of its own, besides the items that every receiver counts.

import type { Counter, Gauge, Meter } from '../../self/meter.ts'

export interface OwnMetrics {
  readonly messages: Counter
  readonly redelivered: Counter
  readonly connections: Counter
  readonly connected: Gauge
  readonly pauses: Counter
  readonly postponed: Counter
  readonly dropped: Counter
  readonly forgotten: Counter
}

export interface Levels {
  unackedMessages(): number
  unackedBytes(): number
  devices(): number
  series(): number
}

export function ownMetrics(meter: Meter, levels: Levels): OwnMetrics {
  meter.observe(
    'receiver_mqtt_unacked_messages',
    '{message}',
    'Messages that are held until they are acknowledged.',
    levels.unackedMessages,
  )
  meter.observe(
    'receiver_mqtt_unacked_bytes',
    'By',
    'Bytes of topics and payloads that are held until they are acknowledged.',
    levels.unackedBytes,
  )
  meter.observe('receiver_mqtt_devices', '{device}', 'Different resources that are remembered.', levels.devices)
  meter.observe('receiver_mqtt_series', '{series}', 'Different metrics of devices that are remembered.', levels.series)
  return {
    messages: meter.counter('receiver_mqtt_messages', '{message}', 'Number of messages that came.'),
    redelivered: meter.counter(
      'receiver_mqtt_redelivered_messages',
      '{message}',
      'Number of messages that the broker marked as sent before.',
    ),
    connections: meter.counter('receiver_mqtt_connections', '{connection}', 'Number of connections to a broker.'),
    connected: meter.gauge('receiver_mqtt_connected', '1', 'Whether there is a connection to a broker: 1 or 0.'),
    pauses: meter.counter(
      'receiver_mqtt_pauses',
      '{pause}',
      'Number of times that nothing more was read because too much was not acknowledged yet.',
    ),
    postponed: meter.counter(
      'receiver_mqtt_postponed_batches',
      '{batch}',
      'Number of waits because a pipeline did not take readings for now.',
    ),
    dropped: meter.counter(
      'receiver_mqtt_dropped_items',
      '{item}',
      'Number of readings and texts that were dropped: no pipeline takes their signal, or their device or series is beyond a bound.',
    ),
    forgotten: meter.counter(
      'receiver_mqtt_forgotten_devices',
      '{device}',
      'Number of resources that were forgotten because nothing came from them for so long.',
    ),
  }
}
