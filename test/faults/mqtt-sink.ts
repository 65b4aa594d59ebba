// The next hop of an MQTT fault run, over OTLP/HTTP: which numbers of each device came, in which order, and how often again.

import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { bytesToJson } from '../../src/otlp/json/index.ts'

/** `refuse` answers 503, `slow` takes its time, `cut` takes what comes and breaks off without an answer. */
export type MqttSinkMood = 'answer' | 'slow' | 'refuse' | 'cut'

const SLOW_MS = 60

export class MqttSink {
  mood: MqttSinkMood = 'answer'
  /** Numbers of each device, in order of first arrival. */
  readonly first = new Map<string, number[]>()
  readonly #seen = new Map<string, Set<number>>()
  duplicates = 0
  #delivered = 0
  readonly #server: Server

  constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => this.#receive(Buffer.concat(parts), response))
      request.on('error', () => {})
    })
  }

  get delivered(): number {
    return this.#delivered
  }

  has(device: string, number: number): boolean {
    return this.#seen.get(device)?.has(number) === true
  }

  /** Devices of which a number came behind a larger one that came for the first time. */
  outOfOrder(): string[] {
    return [...this.first]
      .filter(([, numbers]) => numbers.some((number, i) => i > 0 && number < numbers[i - 1]!))
      .map(([device]) => device)
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as { port: number }).port
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #receive(body: Buffer, response: ServerResponse): void {
    if (this.mood === 'refuse') {
      response.writeHead(503).end()
      return
    }
    this.#count(body)
    if (this.mood === 'cut') response.destroy()
    else if (this.mood === 'slow') setTimeout(() => response.end(), SLOW_MS)
    else response.end()
  }

  #count(body: Buffer): void {
    for (const { resource, scopeMetrics } of JSON.parse(bytesToJson('metrics', [body])).resourceMetrics) {
      const device = resource.attributes[0].value.stringValue as string
      let seen = this.#seen.get(device)
      if (seen === undefined) {
        this.#seen.set(device, (seen = new Set()))
        this.first.set(device, [])
      }
      for (const { gauge } of scopeMetrics[0].metrics)
        for (const { asDouble } of gauge.dataPoints) {
          if (seen.has(asDouble)) this.duplicates++
          else {
            seen.add(asDouble)
            this.first.get(device)!.push(asDouble)
            this.#delivered++
          }
        }
    }
  }
}
