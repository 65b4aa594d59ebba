// A CPU profile of Millrace's shard while it is measured. The pprof extension takes it, so the configuration is the case's
// and that extension.

import { writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { parse, stringify } from 'yaml'

export function profiledFile(file: string, port: number): string {
  const config = parse(file)
  config.extensions = { ...config.extensions, pprof: { endpoint: `127.0.0.1:${port}` } }
  config.service.extensions = [...(config.service.extensions ?? []), 'pprof']
  return stringify(config)
}

/** Resolves once the profile of so long is in `path`. */
export function takeProfile(port: number, forMs: number, path: string): Promise<void> {
  const seconds = Math.max(1, Math.floor(forMs / 1000) - 1)
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: `/debug/pprof/profile?seconds=${seconds}` }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const body = Buffer.concat(chunks)
        if (response.statusCode !== 200) return reject(new Error(`no profile: ${response.statusCode} ${body}`))
        writeFileSync(path, body)
        resolve()
      })
    }).on('error', reject)
  })
}
