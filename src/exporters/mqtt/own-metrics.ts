// What the exporter counts of its own, besides the items that every exporter counts.

import type { Counter, Gauge, Meter } from '../../self/meter.ts'
import type { LeftOut } from './encodings/packing.ts'

export interface OwnMetrics {
  readonly messages: Counter
  readonly bytes: Counter
  readonly connections: Counter
  readonly connected: Gauge
  refused(reason: string): Counter
  leftOut(reason: LeftOut): Counter
}

export function ownMetrics(meter: Meter, levels: { inFlight(): number; repeated(): number }): OwnMetrics {
  meter.observe(
    'exporter_mqtt_in_flight_messages',
    '{message}',
    'Messages with QoS 1 and 2 that the broker has not answered.',
    levels.inFlight,
  )
  meter.observe(
    'exporter_mqtt_repeated_messages',
    '{message}',
    'Number of messages that were sent again, marked as such, because the connection was lost before their answer.',
    levels.repeated,
    { monotonic: true },
  )
  return {
    messages: meter.counter('exporter_mqtt_messages', '{message}', 'Number of messages that the broker has taken.'),
    bytes: meter.counter(
      'exporter_mqtt_message_bytes',
      'By',
      'Bytes of the messages made, topics and properties among them.',
    ),
    connections: meter.counter('exporter_mqtt_connections', '{connection}', 'Number of connections to a broker.'),
    connected: meter.gauge('exporter_mqtt_connected', '1', 'Whether there is a connection to a broker: 1 or 0.'),
    refused: (reason) =>
      meter.counter(
        'exporter_mqtt_refused_messages',
        '{message}',
        'Number of messages that the broker refused for good, by its reason.',
        { labels: { reason }, onceUsed: true },
      ),
    leftOut: (reason) =>
      meter.counter(
        'exporter_mqtt_left_out_items',
        '{item}',
        'Number of points, records and spans that could not be published: `absent_attribute` of their topic, `topic_too_long`, or `no_number`.',
        { labels: { reason }, onceUsed: true },
      ),
  }
}
