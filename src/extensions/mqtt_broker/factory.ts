// `mqtt_broker`: a broker in the router's own process, for a plant that has none.

import { defineExtension } from '../../graph/component.ts'
import { config } from './config.ts'
import { MqttBroker } from './mqtt-broker.ts'

export const factory = defineExtension({
  type: 'mqtt_broker',
  summary: 'An MQTT 3.1.1 broker inside the router, for a laptop or a small plant.',
  stability: 'alpha',
  config,
  create: (cfg, context) => new MqttBroker(cfg, context),
})
