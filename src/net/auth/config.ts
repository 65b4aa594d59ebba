// The keys `auth` and `middlewares` of listeners and clients (Collector reference 2.1, 4.1, 4.2).

import { custom, extensionId, object, section, strings } from '../../config/schema.ts'
import { INVALID, listType, stringType, type ValueType } from '../../config/types.ts'

const authenticator = (role: 'server_authenticator' | 'client_authenticator', doc: string) =>
  extensionId('authenticator', { required: true, role, doc })

const CHECKS = 'The extension that checks who sends: basicauth, bearertokenauth or oidc.'

export const grpcServerAuth = section(
  'auth',
  object({ authenticator: authenticator('server_authenticator', CHECKS) }),
  {
    optional: 'none',
    doc: 'Take calls only from those whom an authenticator lets in.',
  },
)

export const httpServerAuth = section(
  'auth',
  object({
    authenticator: authenticator('server_authenticator', CHECKS),
    requestParams: strings('request_params', {
      default: [],
      doc: "Parameters of the URL's query that the authenticator sees as if they were headers.",
    }),
  }),
  { optional: 'none', doc: 'Take requests only from those whom an authenticator lets in.' },
)

export const clientAuth = section(
  'auth',
  object({
    authenticator: authenticator(
      'client_authenticator',
      'The extension that adds credentials: basicauth, bearertokenauth, oauth2client or headers_setter.',
    ),
  }),
  { optional: 'none', doc: 'Credentials for every request, from an extension.' },
)

/** None can be named: an empty list, as the Collector's own defaults have it, is all there is. */
const noMiddlewares: ValueType<undefined> = {
  words: 'empty list',
  secret: false,
  decode(node, at) {
    if (node.kind === 'list' && node.items.length === 0) return undefined
    const decoded = listType(stringType).decode(node.kind === 'list' ? { ...node, items: [] } : node, at)
    if (decoded === INVALID) return INVALID
    return at.problem('CONFIG_INVALID', 'middleware extensions are not available', 'remove it')
  },
  print: () => [],
  json: () => ({ type: 'array', maxItems: 0 }),
  zero: () => undefined,
}

export const middlewares = custom('middlewares', noMiddlewares, {
  optional: true,
  doc: 'Middleware extensions. Millrace has none; an empty list is accepted.',
})
