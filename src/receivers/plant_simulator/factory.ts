import { defineReceiver } from '../../graph/component.ts'
import { config } from './config.ts'

export const factory = defineReceiver({
  type: 'plant_simulator',
  summary:
    'A small plant of simulated machines inside the router: readings, states, orders and pieces, without a broker.',
  stability: 'alpha',
  signals: ['metrics', 'logs'],
  config,
  // One plant is one plant, on however many shards.
  exclusive: ({ scenario, groundTruth }) => [`plant_simulator ${scenario} ${groundTruth}`],
  create: async (cfg, context) => new (await import('./plant-simulator.ts')).PlantSimulator(cfg, context),
})
