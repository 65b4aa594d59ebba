import { defineExtension } from '../../graph/component.ts'
import { BearerTokenAuth } from './bearertokenauth.ts'
import { config } from './config.ts'

export const factory = defineExtension({
  type: 'bearertokenauth',
  aliases: ['bearer_token_auth'],
  summary: 'Lets in callers that show a token, or shows one to the servers that we send to.',
  stability: 'beta',
  config,
  roles: () => ['server_authenticator', 'client_authenticator'],
  create: (cfg, context) => new BearerTokenAuth(cfg, context),
})
