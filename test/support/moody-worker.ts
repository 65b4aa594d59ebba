// A shard that does what its test asks for in `build.command`: run well, die after a while, hang for a while, or fail to
// start. It counts how often it was started in the shared numbers behind `build.description`.

import type { FromShard, ShardLook, ToShard } from '../../src/shards/messages.ts'
import type { ShardInit } from '../../src/shards/worker.ts'

const LOOK: ShardLook = { pipelines: [], components: [], metrics: { metrics: [] }, slowest: undefined }

export default async function moody({ port, build }: ShardInit): Promise<void> {
  const send = (message: FromShard): void => port.postMessage(message)
  const [mood, ms] = build.command.split(' ')
  if (mood === 'fail') {
    send({ kind: 'failed', message: 'cannot start exporter otlp: no' })
    return
  }
  await new Promise<void>((resolve, reject) => {
    port.on('message', (message: ToShard) => {
      if (message.kind === 'look') return send({ kind: 'look', number: message.number, look: LOOK })
      send({ kind: 'stopped', look: LOOK })
      resolve()
    })
    if (mood === 'die') setTimeout(() => reject(new Error('out of luck')), Number(ms))
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
