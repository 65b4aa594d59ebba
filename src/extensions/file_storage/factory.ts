// `file_storage`: a directory for the sending queues and the state of other components.

import { defineExtension } from '../../graph/component.ts'
import { config } from './config.ts'
import { FileStorage } from './file-storage.ts'

export const factory = defineExtension({
  type: 'file_storage',
  summary: 'Keeps sending queues and the state of components in files, so that they outlive the process.',
  stability: 'beta',
  config,
  roles: () => ['storage'],
  create: (cfg, context) => new FileStorage(cfg, context),
})
