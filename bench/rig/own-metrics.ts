// What a router says about itself on its Prometheus page.

import { get } from 'node:http'

/** The sum of all series whose name matches, on 127.0.0.1:`port`/metrics; undefined where there is none, or no page. */
export const sumSeries = async (port: number, name: RegExp): Promise<number | undefined> =>
  sumOnPage(await readPage(port), name)

/** The same on a page that was read. */
export function sumOnPage(page: string, name: RegExp): number | undefined {
  let sum: number | undefined
  for (const line of page.split('\n')) {
    const [, found = '', value] = /^(\w+)(?:\{.*\})? (\S+)/.exec(line) ?? []
    if (name.test(found)) sum = (sum ?? 0) + Number(value)
  }
  return sum
}

/** Bytes that all threads have ever allocated on their heaps; of a Collector the same, of Go's heap. */
export const allocatedBytes = (port: number): Promise<number | undefined> =>
  sumSeries(port, /^otelcol_process_runtime_total_alloc_bytes(?:_total)?$/)

/** Empty where nobody answers. */
export function readPage(port: number): Promise<string> {
  return new Promise((resolve) => {
    get({ port, host: '127.0.0.1', path: '/metrics' }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve(body))
    }).on('error', () => resolve(''))
  })
}
