import { defineExtension } from '../../graph/component.ts'
import { config } from './config.ts'
import { Oidc } from './oidc.ts'

export const factory = defineExtension({
  type: 'oidc',
  summary: 'Lets in callers with a token of an OpenID Connect issuer.',
  stability: 'beta',
  config,
  roles: () => ['server_authenticator'],
  create: (cfg, context) => new Oidc(cfg, context),
})
