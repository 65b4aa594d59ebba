// Brokers of several makers, each as a test can have it: started on loopback with files of its own, or the words why not.
// What they do differently is said here once; test/brokers proves it, and docs/brokers.md tells it.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseConfig } from '../../src/config/testing.ts'
import { factory as ownBroker } from '../../src/extensions/mqtt_broker/factory.ts'
import { ownDirectory } from './disk.ts'
import { rig } from './harness.ts'
import { mosquitto, mosquittoMissing } from './mosquitto.ts'
import { findProgram, type ProgramName } from './programs.ts'
import { freePorts } from './router-process.ts'
import { type Ground, packageMissing, type Server, serverProcess } from './server-process.ts'

export type Guarantee = 'qos 2' | 'away' | 'slow' | 'paused' | 'shared' | 'restart'

export interface BrokerKind {
  readonly name: string
  /** Started by `npm run brokers` alone. */
  readonly longOnly?: true
  /** What `protocol_version: auto` comes to. */
  readonly speaks: '5' | '3.1.1'
  /** Of publishers, who are thrown out beyond it. */
  readonly takesQos: 1 | 2
  /** The highest that a subscription is granted. */
  readonly grantsQos: 1 | 2
  /** `none`: the subscription is refused, and told; `silent`: it is granted, and nothing ever comes. */
  readonly shared: 'yes' | 'none' | 'silent'
  /** Sessions and what they hold outlive a restart of the broker itself. */
  readonly keepsSessions: boolean
  /** What is stored for a router that is away comes in no order within a second. */
  readonly storesOutOfOrder?: true
  /** Keys of the receiver that this broker needs. */
  readonly receiver?: Readonly<Record<string, unknown>>
  /** A kept message comes to a filter with a wildcard: marked by default; without its mark; or not at all. */
  readonly retained?: 'unmarked' | 'none'
  /** What a lost connection left unacknowledged: before newer messages, or after a wait and perhaps behind them. */
  readonly redelivers: 'in order' | 'later'
  /** Guarantees that do not hold here yet, each with what was seen: their tests are skipped in these words. */
  readonly open?: Partial<Record<Guarantee, string>>
  missing(): string | false
  start(t: Ground): Promise<Server>
}

const built = (program: ProgramName): string | false => {
  const found = findProgram(program)
  return typeof found === 'string' ? found : false
}

async function startBuilt(t: Ground, program: ProgramName, args: (port: number) => readonly string[]): Promise<Server> {
  const found = findProgram(program)
  if (typeof found === 'string') throw new Error(found)
  const [port = 0] = await freePorts(1)
  return await serverProcess(t, port, [found.command, ...found.args, ...args(port)])
}

async function startNats(t: Ground): Promise<Server> {
  const [port = 0, own] = await freePorts(2)
  const directory = ownDirectory(t)
  const file = join(directory, 'nats.conf')
  writeFileSync(
    file,
    `listen: 127.0.0.1:${own}
server_name: broker
jetstream { store_dir: "${directory}/store" }
mqtt { host: 127.0.0.1, port: ${port}, max_ack_pending: 20000, ack_wait: "5s" }
`,
  )
  return await serverProcess(t, port, ['nats-server', '-c', file])
}

const RABBIT = '/usr/lib/rabbitmq/bin/rabbitmq-server'

async function startRabbit(t: Ground): Promise<Server> {
  const [port = 0, amqp, distribution, epmd] = await freePorts(4)
  const directory = ownDirectory(t)
  const file = join(directory, 'rabbitmq.conf')
  writeFileSync(
    file,
    `listeners.tcp.1 = 127.0.0.1:${amqp}
mqtt.listeners.tcp.1 = 127.0.0.1:${port}
mqtt.allow_anonymous = true
mqtt.prefetch = 5000
`,
  )
  writeFileSync(join(directory, 'enabled_plugins'), '[rabbitmq_mqtt].\n')
  const ownEpmd = { ERL_EPMD_ADDRESS: '127.0.0.1', ERL_EPMD_PORT: String(epmd) }
  // The port mapper that it starts beside itself outlives it.
  t.after(() => spawnSync('epmd', ['-kill'], { env: { ...process.env, ...ownEpmd } }))
  // Not what is on the PATH: that becomes another user, and does not pass signals on.
  return await serverProcess(t, port, [RABBIT], {
    ...ownEpmd,
    HOME: directory,
    RABBITMQ_CONFIG_FILE: file,
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(directory, 'data'),
    RABBITMQ_LOG_BASE: join(directory, 'log'),
    RABBITMQ_NODENAME: `broker-${port}@localhost`,
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
  })
}

/** In this process. */
async function startOwn(t: Ground): Promise<Server> {
  const [port = 0] = await freePorts(1)
  const cfg = parseConfig(ownBroker.config, { tcp: { endpoint: `127.0.0.1:${port}` } })
  let broker: ReturnType<typeof ownBroker.create> | undefined
  const server: Server = {
    port,
    async start() {
      const base = rig()
      broker = ownBroker.create(cfg, {
        ...base.context('extension', 'mqtt_broker'),
        shard: { startedAtMs: base.clock.now(), pipelines: [], extensions: [], status: () => [] },
      })
      await broker.start?.()
    },
    stop: async () => await broker?.stop?.(AbortSignal.timeout(5_000)),
  }
  t.after(() => server.stop())
  await server.start()
  return server
}

export const BROKERS: readonly BrokerKind[] = [
  {
    name: 'mosquitto',
    speaks: '5',
    takesQos: 2,
    grantsQos: 2,
    shared: 'yes',
    keepsSessions: true,
    redelivers: 'in order',
    missing: mosquittoMissing,
    start: async (t) => {
      const [port = 0] = await freePorts(1)
      return await mosquitto(t, port)
    },
  },
  {
    name: 'mqtt_broker',
    speaks: '3.1.1',
    takesQos: 2,
    grantsQos: 2,
    shared: 'none',
    keepsSessions: false,
    redelivers: 'in order',
    missing: () => false,
    start: startOwn,
  },
  {
    name: 'NATS server',
    speaks: '3.1.1',
    takesQos: 1,
    grantsQos: 1,
    shared: 'silent',
    keepsSessions: true,
    redelivers: 'later',
    missing: () => packageMissing('nats-server', 'nats-server'),
    start: startNats,
  },
  {
    name: 'RabbitMQ',
    longOnly: true,
    speaks: '3.1.1',
    takesQos: 2,
    grantsQos: 1,
    shared: 'silent',
    keepsSessions: true,
    redelivers: 'in order',
    retained: 'none',
    missing: () => packageMissing('rabbitmq-server', RABBIT),
    start: startRabbit,
  },
  {
    name: 'mochi-mqtt',
    longOnly: true,
    speaks: '5',
    takesQos: 2,
    grantsQos: 2,
    shared: 'yes',
    keepsSessions: false,
    redelivers: 'later',
    storesOutOfOrder: true,
    receiver: { topic_alias_maximum: 0 },
    missing: () => built('mochi-mqtt'),
    async start(t) {
      const [ws, info] = await freePorts(2)
      const others = ['-ws', `127.0.0.1:${ws}`, '-info', `127.0.0.1:${info}`]
      return await startBuilt(t, 'mochi-mqtt', (port) => ['-tcp', `127.0.0.1:${port}`, ...others])
    },
  },
  {
    name: 'HiveMQ',
    longOnly: true,
    speaks: '5',
    takesQos: 2,
    grantsQos: 2,
    shared: 'yes',
    keepsSessions: true,
    redelivers: 'in order',
    missing: () => built('HiveMQ'),
    async start(t) {
      const directory = ownDirectory(t)
      return await startBuilt(t, 'HiveMQ', (port) => [directory, String(port)])
    },
  },
  {
    name: 'Moquette',
    longOnly: true,
    speaks: '3.1.1',
    takesQos: 2,
    grantsQos: 2,
    shared: 'silent',
    keepsSessions: true,
    redelivers: 'later',
    retained: 'unmarked',
    open: {
      restart: 'after an orderly restart it knows our session no more, unless ours was its only one',
    },
    missing: () => built('Moquette'),
    async start(t) {
      const directory = ownDirectory(t)
      return await startBuilt(t, 'Moquette', (port) => [directory, String(port)])
    },
  },
]
