// How we introduce ourselves to servers: `<description>/<version> (<os>/<arch>)`, with Go's words for both, as the
// Collector's own access logs and rules have them.

import { arch, platform } from 'node:process'

const GO_OS: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' }
const GO_ARCH: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' }

export const userAgent = (build: { readonly description: string; readonly version: string }): string =>
  `${build.description}/${build.version} (${GO_OS[platform] ?? platform}/${GO_ARCH[arch] ?? arch})`
