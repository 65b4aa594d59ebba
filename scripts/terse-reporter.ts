// For logs: failures whole, skips by name, and the counts at the end. TEST_TIMES=20 adds the files and the tests that took longest.
import { relative } from 'node:path'
import type { TestEvent } from 'node:test/reporters'

interface Took {
  name: string
  ms: number
}

const slowest = (took: Took[], count: number): string[] =>
  took
    .sort((a, b) => b.ms - a.ms)
    .slice(0, count)
    .map(({ name, ms }) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${name}\n`)

export default async function* terse(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0
  let failed = 0
  let skipped = 0
  const started = performance.now()
  // What a file wrote to standard error: shown when the file as a whole fails, for example because it cannot be loaded.
  const errors = new Map<string, string>()
  const files: Took[] = []
  const tests: Took[] = []
  for await (const event of source) {
    if (event.type === 'test:complete' && event.data.details.type !== 'suite') {
      const { name, file = '', line, details } = event.data
      const path = relative('.', file)
      if (name === path) files.push({ name, ms: details.duration_ms })
      else tests.push({ name: `${name} (${path}:${line})`, ms: details.duration_ms })
    }
    if (event.type === 'test:pass') {
      if (event.data.details.type === 'suite') continue
      if (event.data.skip !== undefined) {
        skipped++
        yield `SKIPPED ${event.data.name}: ${event.data.skip === true ? '' : event.data.skip} (${event.data.file})\n`
      } else passed++
    } else if (event.type === 'test:fail') {
      if (event.data.details.type === 'suite') continue
      failed++
      const { error } = event.data.details
      const cause =
        error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause ?? error.message)
      const file = event.data.file ?? ''
      const said = event.data.name === file || file.endsWith(`/${event.data.name}`) ? (errors.get(file) ?? '') : ''
      yield said
      yield `FAILED ${event.data.name} (${event.data.file}:${event.data.line})\n${cause.replace(/^/gm, '    ')}\n`
    } else if (event.type === 'test:stderr' || event.type === 'test:stdout') {
      const file = event.data.file ?? ''
      if (event.type === 'test:stderr') errors.set(file, `${errors.get(file) ?? ''}${event.data.message}`.slice(-4_000))
      if (process.env.TEST_OUTPUT !== undefined) yield event.data.message
    } else if (event.type === 'test:diagnostic' && event.data.level === 'error') {
      yield `${event.data.message}\n`
    }
  }
  const shown = Number(process.env.TEST_TIMES ?? 0)
  for (const took of [files, tests]) yield* slowest(took, shown)
  yield `in ${((performance.now() - started) / 1000).toFixed(1)} s\n${passed} passed, ${failed} failed, ${skipped} skipped\n`
}
