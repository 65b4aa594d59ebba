import { defineExtension, type Extension, type ExtensionContext } from '../../graph/component.ts'
import type { AuthExtension } from '../../net/auth/authenticator.ts'
import { BasicClient } from './client.ts'
import { type BasicAuthConfig, config } from './config.ts'
import { BasicServer } from './server.ts'

export const factory = defineExtension({
  type: 'basicauth',
  aliases: ['basic_auth'],
  summary: 'Lets in callers by name and password, or sends ours to the servers that we send to.',
  stability: 'beta',
  config,
  roles: ({ htpasswd, clientAuth }) => [
    ...(htpasswd === undefined ? [] : (['server_authenticator'] as const)),
    ...(clientAuth === undefined ? [] : (['client_authenticator'] as const)),
  ],
  create,
})

function create({ htpasswd, clientAuth }: BasicAuthConfig, context: ExtensionContext): Extension & AuthExtension {
  if (clientAuth !== undefined) {
    const client = new BasicClient(clientAuth, context)
    return { clientAuthenticator: client, start: () => client.start(), stop: () => client.stop() }
  }
  const server = new BasicServer(htpasswd!, context)
  return { serverAuthenticator: server, start: () => server.start(), stop: () => server.stop() }
}
