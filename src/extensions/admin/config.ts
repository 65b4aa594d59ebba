// The configuration of `admin`. It is ours: the Collector has nothing like it.

import { bool, type Infer, object } from '../../config/schema.ts'
import { checkHttpServer, httpServerFields } from '../../net/http/server-config.ts'
import { endpointField } from '../../net/listen.ts'

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
    check: (value, problem) => checkHttpServer(value, problem),
  },
)
export type AdminConfig = Infer<typeof config>
