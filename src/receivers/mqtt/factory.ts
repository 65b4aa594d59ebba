import { defineReceiver } from '../../graph/component.ts'
import { config, type MqttConfig } from './config.ts'

export const factory = defineReceiver({
  type: 'mqtt',
  summary: 'Takes messages of devices from an MQTT broker, and acknowledges them when their data are delivered.',
  stability: 'alpha',
  signals: ['metrics', 'logs', 'traces'],
  config,
  // A client id has one connection at a time, and one connection keeps the order of each device. With a shared subscription
  // each shard has a client id of its own.
  exclusive: (cfg) => (cfg.sharedSubscription === '' ? clientsOf(cfg) : []),
  exclusiveInShard: (cfg) => (cfg.sharedSubscription === '' ? [] : clientsOf(cfg)),
  apart: ({ deadLetter }) => (deadLetter === '' ? [] : [deadLetter]),
  create: async (cfg, context) => new (await import('./mqtt.ts')).MqttReceiver(cfg, context),
})

/** One for each broker: another order of them, or one more, is the same client still. */
const clientsOf = ({ brokers, clientId }: MqttConfig): string[] => brokers.map((broker) => `mqtt ${clientId} ${broker}`)
