// What the Sparkplug host counts of its own.

import type { Counter, Meter } from '../../../self/meter.ts'
import type { SparkplugReader } from './reader.ts'

export interface HostMetrics {
  readonly rebirths: Counter
  readonly missing: Counter
  readonly ignoredDeaths: Counter
}

export function hostMetrics(meter: Meter, reader: SparkplugReader): HostMetrics {
  meter.observe(
    'receiver_mqtt_sparkplug_edge_nodes',
    '{edge_node}',
    'Sparkplug edge nodes seen.',
    () => reader.nodes.size,
  )
  meter.observe(
    'receiver_mqtt_sparkplug_held_messages',
    '{message}',
    'Sparkplug messages that wait for those before them.',
    () => reader.heldMessages,
  )
  return {
    rebirths: meter.counter(
      'receiver_mqtt_sparkplug_rebirth_requests',
      '{request}',
      'Number of times that an edge node was asked for a rebirth.',
    ),
    missing: meter.counter(
      'receiver_mqtt_sparkplug_missing_messages',
      '{message}',
      'Number of Sparkplug messages that have not come within the reorder timeout, by their seq.',
    ),
    ignoredDeaths: meter.counter(
      'receiver_mqtt_sparkplug_ignored_deaths',
      '{message}',
      'Number of deaths of edge nodes that belong to an earlier session.',
    ),
  }
}
