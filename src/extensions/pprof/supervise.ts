// pprof on the supervisor: one listener for the profiles of all threads.

import type { Supervise } from '../../graph/supervised.ts'
import type { PprofConfig } from './config.ts'
import { Pprof } from './pprof.ts'

export const supervise: Supervise<PprofConfig> = (config, context) => new Pprof(config, context)
