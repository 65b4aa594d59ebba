// What the broker is asked for, by the rules of the configuration.

import type { Subscription } from '../../net/mqtt/connection.ts'
import type { MqttConfig } from './config.ts'
import { SPARKPLUG_B } from './decoders/sparkplug-b.ts'

/** By filter: several rules may have the same one. */
export function filtersOf({ topics, sharedSubscription }: MqttConfig): Map<string, Subscription> {
  const filters = new Map<string, Subscription>()
  for (const { topic, qos, retained, noLocal, decoder } of topics) {
    if (decoder === SPARKPLUG_B) continue
    const filter = sharedSubscription === '' ? topic.filter : `$share/${sharedSubscription}/${topic.filter}`
    const before = filters.get(filter)
    const asked = qos as 0 | 1 | 2
    filters.set(filter, {
      filter,
      qos: before === undefined || before.qos < asked ? asked : before.qos,
      // A resumed session is not to get all of them again.
      retainHandling: retained === 'skip' && (before?.retainHandling ?? 2) === 2 ? 2 : 1,
      // MQTT-3.8.3-4: not with a shared subscription.
      noLocal: noLocal && sharedSubscription === '' && (before?.noLocal ?? true),
    })
  }
  return filters
}
