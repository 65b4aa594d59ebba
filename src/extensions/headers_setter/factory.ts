import { defineExtension } from '../../graph/component.ts'
import { config } from './config.ts'
import { HeadersSetter } from './headers-setter.ts'

export const factory = defineExtension({
  type: 'headers_setter',
  summary: 'Sets headers of what is sent, for example the tenant that a client named to us.',
  stability: 'beta',
  config,
  roles: () => ['client_authenticator'],
  create: (cfg, context) => new HeadersSetter(cfg, context),
})
