// The configuration of `zpages` (Collector reference 5.2).

import { bool, group, type Infer, object } from '../../config/schema.ts'
import { checkHttpServer, httpServerFields } from '../../net/http/server-config.ts'
import { endpointField } from '../../net/listen.ts'

export const config = object(
  {
    ...httpServerFields,
    endpoint: endpointField('localhost:55679'),
    expvar: group('expvar', object({ enabled: bool('enabled', { default: false, doc: 'Serve /debug/expvarz.' }) }), {
      doc: 'Memory and processor time of the router and its shards as JSON.',
    }),
  },
  {
    check: (value, problem) => checkHttpServer(value, problem),
  },
)
export type ZpagesConfig = Infer<typeof config>
