import { defineExtension } from '../../graph/component.ts'
import { config } from './config.ts'
import { OAuth2Client } from './oauth2client.ts'

export const factory = defineExtension({
  type: 'oauth2client',
  aliases: ['oauth2_client'],
  summary: 'Gets tokens from an authorization server and shows them to the servers that we send to.',
  stability: 'beta',
  config,
  roles: () => ['client_authenticator'],
  create: (cfg, context) => new OAuth2Client(cfg, context),
})
