// admin on the supervisor, which alone can read the configuration again.

import type { Supervise } from '../../graph/supervised.ts'
import { Admin } from './admin.ts'
import type { AdminConfig } from './config.ts'

export const supervise: Supervise<AdminConfig> = (config, context) => new Admin(config, context)
