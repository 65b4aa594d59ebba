// A shard that does what its test asks for in `build.command`: run well, die after a while (mute: without an answer before
// that), hang for a while, fail to start, or hoard: shard 1 says that it uses a MiB; the others say how much is used beside
// them, and survive every reload. A reload does what its resource's `mood` asks for: refuse, die, or read the pipe of that path; else it is taken. The
// shard says what it runs with as the name of its only component.

import { readFileSync } from 'node:fs'
import { UsageTable } from '../../src/graph/usage-table.ts'
import type { FromShard, ShardLook, ToShard } from '../../src/shards/messages.ts'
import type { ShardInit } from '../../src/shards/worker.ts'

const lookOf = (runs: string, metrics = true): ShardLook => ({
  pipelines: [],
  components: [{ kind: 'receiver', id: runs, status: 'ok' }],
  metrics: metrics ? { metrics: [] } : undefined,
  slowest: undefined,
})

export default async function moody({ place, port, build, resource }: ShardInit): Promise<void> {
  const table = place.memory === undefined ? undefined : new UsageTable(place.memory)
  let runs = resource.name ?? ''
  const send = (message: FromShard): void => port.postMessage(message)
  const [mood, ms] = build.command.split(' ')
  const hoards = mood === 'hoard' && place.index === 1
  if (hoards) table?.publish(1, 2 ** 20)
  if (mood === 'fail') {
    send({ kind: 'failed', message: 'cannot start exporter otlp: no' })
    return
  }
  await new Promise<void>((resolve, reject) => {
    port.on('message', (message: ToShard) => {
      if (message.kind === 'look' && mood === 'mute') return
      if (mood === 'hoard') runs = String(table?.bytesBeside(place.index))
      if (message.kind === 'look')
        return send({ kind: 'look', number: message.number, look: lookOf(runs, message.metrics) })
      if (message.kind === 'reload') {
        const { number, next } = message
        if (next.resource.mood === 'die' && (mood !== 'hoard' || hoards)) return reject(new Error('it was too much'))
        if (next.resource.mood?.startsWith('/')) readFileSync(next.resource.mood)
        const refused = next.resource.mood === 'refuse'
        if (!refused) runs = next.resource.name ?? ''
        const changes = { kept: [], started: [runs], stopped: [] }
        const result = refused
          ? ({ outcome: 'refused', message: 'no' } as const)
          : ({ outcome: 'ok', changes } as const)
        return send({ kind: 'reloaded', number, result })
      }
      if (message.kind !== 'stop') return
      send({ kind: 'stopped', look: lookOf(runs) })
      resolve()
    })
    if (mood === 'die' || mood === 'mute') setTimeout(() => reject(new Error('out of luck')), Number(ms))
    if (mood === 'hang') {
      setTimeout(() => {
        const until = performance.now() + Number(ms)
        while (performance.now() < until);
      }, 20)
    }
    send({ kind: 'ready' })
  })
  port.close()
}
