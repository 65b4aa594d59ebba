// The configuration of `zpages` (Collector reference 5.2).

import { bool, group, type Infer, object } from '../../config/schema.ts'
import { httpServerFields, responseHeadersProblem } from '../../net/http/server-config.ts'
import { endpointField, endpointProblem } from '../../net/listen.ts'

export const config = object(
  {
    ...httpServerFields,
    endpoint: endpointField('localhost:55679'),
    expvar: group('expvar', object({ enabled: bool('enabled', { default: false, doc: 'Serve /debug/expvarz.' }) }), {
      doc: "The shard's memory as JSON.",
    }),
  },
  {
    check(value, problem) {
      const found = endpointProblem(value.endpoint, value.transport)
      if (found !== undefined) problem('endpoint', found.what, found.fix)
      const header = responseHeadersProblem(value.responseHeaders)
      if (header !== undefined) problem('response_headers', header.what, header.fix)
    },
  },
)
export type ZpagesConfig = Infer<typeof config>
