// A thread that fetches a page over and over, one time for each message, and throws it away. What it costs is not counted with
// those who are measured.

import { Agent, get } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'

export interface ScraperOptions {
  readonly port: number
  readonly headers: Readonly<Record<string, string>>
}

export interface Scraped {
  readonly bytes: number
  readonly contentType: string
}

const { port, headers } = workerData as ScraperOptions
const agent = new Agent({ keepAlive: true })

parentPort!.on('message', () => {
  get({ host: '127.0.0.1', port, path: '/metrics', headers, agent }, (response) => {
    let bytes = 0
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    response.on('end', () => {
      const scraped: Scraped = { bytes, contentType: response.headers['content-type'] ?? '' }
      parentPort!.postMessage(scraped)
    })
  })
})
