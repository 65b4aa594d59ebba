import { defineProcessor } from '../../graph/component.ts'
import { SIGNALS } from '../../otlp/signal.ts'
import { config } from './config.ts'
import { systemMemory } from './memory.ts'
import { MemoryLimiter } from './memory-limiter.ts'

export const factory = defineProcessor({
  type: 'memory_limiter',
  summary: 'Refuses telemetry while memory is short, so that senders wait and the router lives.',
  stability: 'beta',
  signals: SIGNALS,
  shared: true,
  config,
  create: (cfg, context) => new MemoryLimiter(cfg, context, systemMemory(context.shards)),
})
