// The configuration of `admin`. It is ours: the Collector has nothing like it.

import { bool, type Infer, object } from '../../config/schema.ts'
import { httpServerFields, responseHeadersProblem } from '../../net/http/server-config.ts'
import { endpointField, endpointProblem } from '../../net/listen.ts'

export const config = object(
  {
    ...httpServerFields,
    endpoint: endpointField('localhost:13134'),
    allowRemoteReload: bool('allow_remote_reload', {
      default: false,
      doc: 'Whether other machines may ask for a reload; otherwise only this one may.',
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
export type AdminConfig = Infer<typeof config>
