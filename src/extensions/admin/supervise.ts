// admin on the supervisor, which alone can read the configuration again.

import type { Supervise } from '../../graph/supervised.ts'
import { PageServer } from '../../net/http/pages.ts'
import { Admin } from './admin.ts'
import type { AdminConfig } from './config.ts'

export const supervise: Supervise<AdminConfig> = (config, context) => {
  const admin = new Admin(config, context)
  return new PageServer('admin', config, context, (request) => admin.answer(request))
}
