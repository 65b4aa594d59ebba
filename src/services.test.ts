import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLogger } from '../test/support/harness.ts'
import { Changeover, Service } from './services.ts'

test('a service that gave its port to a successor hears that pipelines run when it is started again', async () => {
  const heard: string[] = []
  let isTaken = false
  const open = (name: string) => async () => {
    if (isTaken) throw Object.assign(new Error('taken'), { code: 'EADDRINUSE' })
    isTaken = true
    return {
      pipelinesStarted: () => void heard.push(name),
      stop: () => {
        isTaken = false
      },
    }
  }
  const before = new Service('before', memoryLogger(), open('before'))
  const after = new Service('after', memoryLogger(), open('after'))
  await before.start()
  before.pipelinesStarted()
  const changeover = new Changeover(1_000)
  await changeover.replace([before], after)
  await changeover.undo()
  assert.deepEqual(heard, ['before', 'before'])
})
