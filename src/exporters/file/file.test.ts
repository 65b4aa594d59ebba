import assert from 'node:assert/strict'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { exporterHarness, type Fate } from '../../../test/support/harness.ts'
import { decode } from '../../../test/support/oracle.ts'
import { parseConfig } from '../../config/testing.ts'
import { jsonToBytes } from '../../otlp/json/index.ts'
import { config } from './config.ts'
import { factory } from './factory.ts'
import { groupPath } from './groups.ts'
import { backupPath, outdatedBackups } from './rotation.ts'

function ownFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-file-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const logs = (text: string, plant?: string): object => ({
  resourceLogs: [
    {
      resource: plant === undefined ? {} : { attributes: [{ key: 'plant', value: { stringValue: plant } }] },
      scopeLogs: [{ logRecords: [{ body: { stringValue: text } }] }],
    },
  ],
})
const line = (text: string, plant?: string): string => {
  const attributes = `{"attributes":[{"key":"plant","value":{"stringValue":"${plant}"}}]}`
  const resource = plant === undefined ? '{}' : attributes
  return `{"resourceLogs":[{"resource":${resource},"scopeLogs":[{"logRecords":[{"body":{"stringValue":"${text}"}}]}]}]}\n`
}

/** Waits until a batch is settled; writing is the file system's own time. */
async function settled(...fates: Fate[]): Promise<void> {
  while (!fates.every((fate) => fate.delivered || fate.refused !== undefined)) await new Promise(setImmediate)
}

/** The messages of a file that frames them with four bytes of length. */
function unframed(path: string): Buffer[] {
  const bytes = readFileSync(path)
  const messages: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    messages.push(bytes.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return messages
}

test('requests of all signals stand in one file, a line each, in the order of arrival', async (t) => {
  const path = join(ownFolder(t), 'out.jsonl')
  writeFileSync(path, 'from an earlier run\n')
  const { push, metric } = await exporterHarness(t, factory, { path })
  const fates = [
    push('logs', logs('one')),
    push('traces', { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'weld' }] }] }] }),
    push('logs', logs('two')),
  ]
  assert.ok(fates.every((fate) => !fate.delivered && !fate.accepted))
  await settled(...fates)
  assert.ok(fates.every((fate) => fate.delivered))
  assert.equal(
    readFileSync(path, 'utf8'),
    `${line('one')}{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"weld"}]}]}]}\n${line('two')}`,
  )
  assert.equal(metric('exporter_sent_log_records'), 2)
  assert.equal(metric('exporter_sent_spans'), 1)
})

test('append continues an existing file', async (t) => {
  const path = join(ownFolder(t), 'out.jsonl')
  writeFileSync(path, 'from an earlier run\n')
  const { push, stop } = await exporterHarness(t, factory, { path, append: true })
  push('logs', logs('one'))
  await stop()
  assert.equal(readFileSync(path, 'utf8'), `from an earlier run\n${line('one')}`)
})

test('proto and zstd put each request behind its length in four bytes', async (t) => {
  const folder = ownFolder(t)
  for (const [format, compression] of [
    ['proto', 'none'],
    ['proto', 'zstd'],
    ['json', 'zstd'],
  ] as const) {
    const path = join(folder, `${format}-${compression}`)
    const { push, stop } = await exporterHarness(t, factory, { path, format, compression })
    push('logs', logs('one'))
    push('logs', logs('two'))
    await stop()
    const requests = unframed(path)
      .map((message) => (compression === 'zstd' ? zstdDecompressSync(message) : message))
      .map((message) => decode('logs', format === 'json' ? jsonToBytes('logs', message) : message))
    assert.deepEqual(
      requests,
      ['one', 'two'].map((text) => decode('logs', jsonToBytes('logs', JSON.stringify(logs(text))))),
    )
  }
})

test('a full file is renamed with the time before its extension, and a new one begins', async (t) => {
  const folder = ownFolder(t)
  const path = join(folder, 'out.jsonl')
  const { push, stop } = await exporterHarness(t, factory, { path, rotation: { max_megabytes: 1, max_backups: 2 } })
  const large = (name: string): object => logs(name + 'x'.repeat(600_000))
  await settled(push('logs', large('a')))
  for (const name of ['b', 'c', 'd']) await settled(push('logs', large(name)))
  await stop()
  assert.deepEqual(readdirSync(folder).sort(), [
    'out-2026-01-01T00-00-00.001.jsonl',
    'out-2026-01-01T00-00-00.002.jsonl',
    'out.jsonl',
  ])
  const texts = readdirSync(folder)
    .sort()
    .map((name) => /"stringValue":"(.)/.exec(readFileSync(join(folder, name), 'utf8'))?.[1])
  assert.deepEqual(texts, ['b', 'c', 'd'])
})

test('names of rotated files carry the time in UTC or local time, and only those of the file itself are deleted', () => {
  const ms = Date.UTC(2022, 8, 14, 5, 2, 14, 173)
  assert.equal(backupPath('/var/data.json', ms, false), '/var/data-2022-09-14T05-02-14.173.json')
  assert.equal(backupPath('data', ms, false), 'data-2022-09-14T05-02-14.173')
  const rotation = { maxMegabytes: 1, maxBackups: 2, maxDays: 3, localtime: true }
  const day = 24 * 60 * 60 * 1000
  const names = [0, 1, 2, 4].map((days) => backupPath('data.json', ms - days * day, true))
  const others = ['data.json', 'data-old.json', 'other-2022-09-14T05-02-14.173.json']
  assert.deepEqual(outdatedBackups('/var/data.json', [...others, ...names], rotation, ms), names.slice(2))
  assert.deepEqual(outdatedBackups('/var/data.json', names, { ...rotation, maxBackups: 0 }, ms), names.slice(3))
})

test('group_by writes a file per value of the attribute; resources without it are dropped and counted', async (t) => {
  const folder = ownFolder(t)
  const { push, stop, metric } = await exporterHarness(t, factory, {
    path: join(folder, 'by/*/logs.jsonl'),
    group_by: { enabled: true, resource_attribute: 'plant', max_open_files: 1 },
  })
  const request = {
    resourceLogs: ['ulm', 'graz', undefined, 'ulm'].flatMap((plant) => {
      const { resourceLogs } = logs('one', plant) as { resourceLogs: object[] }
      return resourceLogs
    }),
  }
  const fates = [push('logs', request), push('logs', logs('two', 'ulm')), push('logs', logs('three'))]
  await settled(...fates)
  assert.ok(fates.every((fate) => fate.delivered))
  await stop()
  const one = line('one', 'ulm').slice('{"resourceLogs":['.length, -']}\n'.length)
  assert.equal(
    readFileSync(join(folder, 'by/ulm/logs.jsonl'), 'utf8'),
    `{"resourceLogs":[${one},${one}]}\n${line('two', 'ulm')}`,
  )
  assert.equal(readFileSync(join(folder, 'by/graz/logs.jsonl'), 'utf8'), line('one', 'graz'))
  assert.equal(metric('exporter_file_ungrouped_items'), 2)
  assert.equal(metric('exporter_sent_log_records'), 4)
})

test('group_by empties files of an earlier run once, not each time it opens them', async (t) => {
  const folder = ownFolder(t)
  const path = join(folder, 'ulm.jsonl')
  writeFileSync(path, 'from an earlier run\n')
  utimesSync(path, 1, 1)
  const { push, stop } = await exporterHarness(t, factory, {
    path: join(folder, '*.jsonl'),
    group_by: { enabled: true, resource_attribute: 'plant', max_open_files: 1 },
  })
  for (const [text, plant] of [
    ['one', 'ulm'],
    ['two', 'graz'],
    ['three', 'ulm'],
  ] as const) {
    push('logs', logs(text, plant))
  }
  await stop()
  assert.equal(readFileSync(path, 'utf8'), line('one', 'ulm') + line('three', 'ulm'))
})

test('an attribute that makes no name of a file is refused for good, and the others are written', async (t) => {
  const folder = ownFolder(t)
  const { push, stop } = await exporterHarness(t, factory, {
    path: join(folder, '*.jsonl'),
    group_by: { enabled: true, resource_attribute: 'plant' },
  })
  const [tooLong, good] = [push('logs', logs('one', 'x'.repeat(400))), push('logs', logs('two', 'ulm'))]
  await settled(tooLong!, good!)
  assert.equal(tooLong!.refused?.retry, 'never')
  assert.ok(good!.delivered)
  await stop()
})

test('an attribute never leads out of the directory before the *', () => {
  const path = '/var/telemetry/*/out.json'
  assert.equal(groupPath(path, 'ulm'), '/var/telemetry/ulm/out.json')
  assert.equal(groupPath(path, './a/b'), '/var/telemetry/a/b/out.json')
  for (const segment of ['../../etc', '/../../etc', 'a/../../../etc', '..', '../..', '....//', 'a\0/../../b']) {
    assert.ok(groupPath(path, segment).startsWith('/var/telemetry/'), `${segment}: ${groupPath(path, segment)}`)
  }
})

test('create_directory makes the directory with its permissions', async (t) => {
  const folder = ownFolder(t)
  const path = join(folder, 'a/b/out.jsonl')
  await assert.rejects(exporterHarness(t, factory, { path }), /ENOENT/)
  await exporterHarness(t, factory, { path, create_directory: true, directory_permissions: '0700' })
  assert.ok(existsSync(path))
  assert.equal(statSync(join(folder, 'a')).mode & 0o777, 0o700)
})

test('what the disk does not take is refused, counted and said', { skip: !existsSync('/dev/full') }, async (t) => {
  const { push, metric, logs: lines } = await exporterHarness(t, factory, { path: '/dev/full', append: true })
  const fate = push('logs', logs('one'))
  await settled(fate)
  assert.equal(fate.refused?.code, 'FILE_WRITE_FAILED')
  assert.equal(fate.refused?.retry, 'backoff')
  assert.equal(metric('exporter_send_failed_log_records'), 1)
  assert.equal(lines.at(-1)?.level, 'error')
})

test('what waits when the time for stopping is over is refused, and so is what comes later', async (t) => {
  const { push, exporter, metric } = await exporterHarness(t, factory, { path: join(ownFolder(t), 'out.jsonl') })
  const early = push('logs', logs('one'))
  await exporter.stop?.(AbortSignal.abort())
  const late = push('logs', logs('two'))
  assert.equal(early.refused?.code, 'FILE_SHUTDOWN')
  assert.equal(late.refused?.code, 'FILE_CLOSED')
  assert.equal(metric('exporter_send_failed_log_records'), 2)
})

test('the configuration is refused where the Collector refuses it', () => {
  const refuses = (value: object, words: RegExp): void => {
    assert.throws(() => parseConfig(config, { path: 'a', ...value }), words)
  }
  assert.throws(() => parseConfig(config, {}), /path/)
  refuses({ path: '' }, /empty/)
  refuses({ append: true, rotation: {} }, /rotation/)
  refuses({ append: true, compression: 'zstd' }, /compression/)
  refuses({ compression: 'gzip' }, /compression/)
  refuses({ group_by: { enabled: true } }, /exactly one \*/)
  refuses({ path: '*/a', group_by: { enabled: true } }, /start with \*/)
  refuses({ directory_permissions: '0700' }, /create_directory/)
  refuses({ create_directory: true, directory_permissions: '0888' }, /octal/)
  assert.equal(parseConfig(config, { path: 'a' }).rotation, undefined)
  assert.equal(parseConfig(config, { path: 'a', rotation: null }).rotation?.maxMegabytes, 100)
})
