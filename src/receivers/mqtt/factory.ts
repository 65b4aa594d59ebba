import { defineReceiver } from '../../graph/component.ts'
import { config } from './config.ts'

export const factory = defineReceiver({
  type: 'mqtt',
  summary: 'Takes messages of devices from an MQTT broker, and acknowledges them when their data are delivered.',
  stability: 'alpha',
  signals: ['metrics', 'logs', 'traces'],
  config,
  // A client id has one connection at a time, and one connection keeps the order of each device.
  exclusive: ({ brokers, clientId, sharedSubscription }) =>
    sharedSubscription === '' ? [`mqtt ${clientId} ${brokers.join()}`] : [],
  apart: ({ deadLetter }) => (deadLetter === '' ? [] : [deadLetter]),
  create: async (cfg, context) => new (await import('./mqtt.ts')).MqttReceiver(cfg, context),
})
