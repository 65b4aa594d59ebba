// zpages on the supervisor: pages about all shards, also while one of them is stuck or dead.

import type { Supervise } from '../../graph/supervised.ts'
import { PageServer } from '../../net/http/pages.ts'
import type { ZpagesConfig } from './config.ts'
import { Zpages } from './zpages.ts'

export const supervise: Supervise<ZpagesConfig> = (config, context) => {
  const zpages = new Zpages(config, context)
  const server = new PageServer('zpages', config, context, (request) => zpages.answer(request))
  return {
    start: () => server.start(),
    // The Collector does not wait for pages under way either.
    stop: () => server.stop(AbortSignal.abort()),
  }
}
