// health_check on the supervisor: it answers for all shards, and goes on answering when one is stuck or dead.

import type { Supervise } from '../../graph/supervised.ts'
import type { HealthCheckConfig } from './config.ts'
import { HealthCheck } from './health-check.ts'

export const supervise: Supervise<HealthCheckConfig> = (config, context) => new HealthCheck(config, context)
