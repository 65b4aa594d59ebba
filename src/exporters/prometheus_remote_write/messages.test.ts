// Every kind of point and every rule has a case that a person can read: messages/<case>/
//
//   input.json        requests in OTLP/JSON
//   <settings>.yaml   the exporter's section
//   <settings>.txt    the samples that the store gets; `npm run golden` writes it, and whoever does so reads it

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { exporterHarness } from '../../../test/support/harness.ts'
import { reply, scriptedHttp } from '../../../test/support/scripted-http.ts'
import { until } from '../../../test/support/until.ts'
import { DROPPED } from './encoder.ts'
import { factory } from './factory.ts'
import { requestText } from './testing.ts'

const FOLDER = new URL('./messages/', import.meta.url).pathname

for (const file of globSync('*/*.yaml', { cwd: FOLDER }).sort()) {
  const [name = '', settings = ''] = file.replace(/\.yaml$/, '').split('/')
  test(`remote write: ${name}, ${settings}`, async (t) => {
    const server = await scriptedHttp(t, reply(204))
    const config = parse(readFileSync(join(FOLDER, file), 'utf8')) as object
    const { push, metric } = await exporterHarness(t, factory, { endpoint: server.url, ...config })
    let actual = ''
    for (const request of JSON.parse(readFileSync(join(FOLDER, name, 'input.json'), 'utf8')) as object[]) {
      const fate = push('metrics', request)
      await until(() => fate.delivered || fate.refused !== undefined)
      assert.equal(fate.refused, undefined)
      const { body, headers } = server.asked.pop()!
      actual += requestText(body, String(headers['x-prometheus-remote-write-version']))
    }
    for (const reason of Object.values(DROPPED)) {
      const points = metric('exporter_prometheus_remote_write_dropped_points', { reason }) ?? 0
      if (points > 0) actual += `(dropped: ${points} ${reason})\n`
    }
    const expected = join(FOLDER, name, `${settings}.txt`)
    if (process.env.GOLDEN === 'write') writeFileSync(expected, actual)
    assert.ok(existsSync(expected), `there is no ${expected} yet: npm run golden writes it`)
    assert.equal(actual, readFileSync(expected, 'utf8'))
  })
}
