// Who we are: for --version, User-Agent, service.name and health pages.

import { readFileSync } from 'node:fs'
import type { BuildInfo } from './graph/component.ts'

// package.json stands one folder above src/ and dist/ alike.
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

export const buildInfo: BuildInfo = { command: 'millrace', description: 'Millrace', version }
