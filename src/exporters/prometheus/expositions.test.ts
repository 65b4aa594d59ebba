// Every kind of point and every rule has a case that a person can read: expositions/<case>/
//
//   input.json                  requests in OTLP/JSON
//   <settings>.yaml             the exporter's section
//   <settings>.<format>.txt     what a scrape shows; `npm run golden` writes it, and whoever does so reads it

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { exporterHarness } from '../../../test/support/harness.ts'
import { factory } from './factory.ts'
import { DROPPED } from './stream.ts'
import { decodeFamilies, familiesToText, fetchMetrics, OPENMETRICS, PROTOBUF } from './testing.ts'

const FOLDER = new URL('./expositions/', import.meta.url).pathname

function compare(file: string, actual: string): void {
  if (process.env.GOLDEN === 'write') writeFileSync(file, actual)
  assert.ok(existsSync(file), `there is no ${file} yet: npm run golden writes it`)
  assert.equal(actual, readFileSync(file, 'utf8'))
}

for (const file of globSync('*/*.yaml', { cwd: FOLDER }).sort()) {
  const [name = '', settings = ''] = file.replace(/\.yaml$/, '').split('/')
  test(`exposition: ${name.replaceAll('-', ' ')}, ${settings.replaceAll('-', ' ')}`, async (t) => {
    const config = parse(readFileSync(join(FOLDER, file), 'utf8')) as Record<string, unknown>
    const { exporter, push, metric } = await exporterHarness(t, factory, config)
    for (const request of JSON.parse(readFileSync(join(FOLDER, name, 'input.json'), 'utf8')) as object[])
      assert.ok(push('metrics', request).delivered)
    const show = async (format: string, accept: string): Promise<string> => {
      const response = await fetchMetrics(exporter, { accept })
      const text = await response.text()
      const dropped = Object.values(DROPPED)
        .map((reason) => [reason, metric('exporter_prometheus_dropped_points', { reason }) ?? 0] as const)
        .filter(([, points]) => points > 0)
        .map(([reason, points]) => `(dropped: ${points} ${reason})\n`)
      const head = `(${response.headers.get('content-type')})\n`
      compare(join(FOLDER, name, `${settings}.${format}.txt`), head + text + dropped.join(''))
      return text
    }
    const text = await show('text', 'text/plain')
    if (config.enable_open_metrics === true) await show('openmetrics', OPENMETRICS)
    if (/^No/.test(String(config.translation_strategy))) await show('utf8', 'text/plain;escaping=allow-utf-8')

    // What the protobuf exposition says, the text says too.
    const packed = await fetchMetrics(exporter, { accept: PROTOBUF })
    assert.equal(familiesToText(decodeFamilies(new Uint8Array(await packed.arrayBuffer()))), text)
  })
}
