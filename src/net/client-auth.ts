// Keys of a client that name an extension which is not there yet: understood, and refused with words.

import { anyValue, type Complain, type YamlValue } from '../config/schema.ts'

export const clientExtensionFields = {
  auth: anyValue('auth', { optional: true, doc: 'An authenticator extension. Not available yet.' }),
  middlewares: anyValue('middlewares', { optional: true, doc: 'Middleware extensions. Not available yet.' }),
}

interface ClientExtensions {
  readonly auth?: YamlValue | undefined
  readonly middlewares?: YamlValue | undefined
}

export function checkClientExtensions(client: ClientExtensions, problem: Complain): void {
  if (client.auth !== undefined && client.auth !== null)
    problem(
      'auth',
      'authenticator extensions are not available yet',
      'remove it; a fixed token can stand under headers',
    )
  const { middlewares } = client
  if (middlewares !== undefined && middlewares !== null && !(Array.isArray(middlewares) && middlewares.length === 0))
    problem('middlewares', 'middleware extensions are not available yet', 'remove it')
}
