import assert from 'node:assert/strict'
import { type EventEmitter, once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect, connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { generate, type Packet } from 'mqtt-packet'
import { WebSocket } from 'ws'
import { certs } from '../../../test/support/certs.ts'
import { extensionHarness, type Rig, rig } from '../../../test/support/harness.ts'
import { until } from '../../../test/support/until.ts'
import { parseConfig } from '../../config/testing.ts'
import { AuthRefusal, NO_ATTRIBUTES } from '../../net/auth/authenticator.ts'
import { factory } from './factory.ts'

interface Running extends Rig {
  /** `tcp`, `tls`, `ws` or `wss`: where it listens. */
  url(name?: string): string
  client(options?: IClientOptions & { url?: string }): Promise<MqttClient>
  stop(): Promise<void>
}

const ANY_PORT = '127.0.0.1:0'

async function broker(
  t: TestContext,
  config: Record<string, unknown> = {},
  extensions: Record<string, object> = {},
): Promise<Running> {
  const base = rig({ extensions })
  const extension = factory.create(parseConfig(factory.config, { tcp: { endpoint: ANY_PORT }, ...config }), {
    ...base.context('extension', 'mqtt_broker'),
    shard: { startedAtMs: base.clock.now(), pipelines: [], extensions: [], status: () => [] },
  })
  t.after(() => extension.stop?.(AbortSignal.abort()))
  await extension.start?.()
  const url = (name = 'tcp'): string => {
    const line = base.logs.find(({ message }) => message === `MQTT broker (${name}) listens.`)
    const scheme = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' }[name]
    return `${scheme}://${line?.fields.endpoint}${name.startsWith('ws') ? '/mqtt' : ''}`
  }
  return {
    ...base,
    url,
    async client({ url: at = url(), ...options } = {}) {
      const client = await connectAsync(at, { reconnectPeriod: 0, ...options }, false)
      client.on('error', () => {})
      t.after(() => client.end(true))
      return client
    },
    stop: async () => {
      await extension.stop?.(AbortSignal.timeout(5_000))
    },
  }
}

/** What a client gets from now on, as `topic payload`. */
function inbox(client: MqttClient): string[] {
  const got: string[] = []
  client.on('message', (topic, payload) => got.push(`${topic} ${payload}`))
  return got
}

/** A client that listens from its first moment on: what waits for it comes right behind the CONNACK. */
function resume(t: TestContext, url: string, options: IClientOptions): { client: MqttClient; got: string[] } {
  const client = connect(url, { reconnectPeriod: 0, ...options })
  t.after(() => client.end(true))
  return { client, got: inbox(client) }
}

const refusedBy = async (connecting: Promise<unknown>): Promise<string> => {
  try {
    await connecting
  } catch (error) {
    return (error as Error).message
  }
  return 'connected'
}

for (const qos of [0, 1, 2] as const)
  test(`a message at QoS ${qos} reaches every client whose filter matches, and nobody else`, async (t) => {
    const { client, metric } = await broker(t)
    const [machine, line, all, other] = await Promise.all([client(), client(), client(), client()])
    const boxes = [line, all, other].map(inbox)
    await line.subscribeAsync('devices/+/data', { qos })
    await all.subscribeAsync('#', { qos })
    await other.subscribeAsync('devices/robot-1/data', { qos })
    await machine.publishAsync('devices/cnc-1/data', 'hello', { qos })
    await until(() => boxes[0]!.length > 0 && boxes[1]!.length > 0)
    await other.publishAsync('devices/robot-1/data', 'late', { qos })
    await until(() => boxes.every((box) => box.includes('devices/robot-1/data late')))
    assert.deepEqual(boxes[2], ['devices/robot-1/data late'])
    assert.deepEqual(boxes[0], ['devices/cnc-1/data hello', 'devices/robot-1/data late'])
    assert.equal(metric('extension_mqtt_broker_received_messages'), 2)
    assert.equal(metric('extension_mqtt_broker_sent_messages'), 5)
    assert.equal(metric('extension_mqtt_broker_clients'), 4)
  })

test('a client that sends ahead beyond max_half_received_messages at QoS 2 is ended, counted and told', async (t) => {
  const { url, metric, logs } = await broker(t, { limits: { max_half_received_messages: 3 } })
  const socket = connectSocket(Number(new URL(url()).port), '127.0.0.1')
  t.after(() => socket.destroy())
  const send = (packet: Packet): boolean => socket.write(generate(packet))
  send({ cmd: 'connect', clientId: 'cnc-1', clean: true, keepalive: 0 } as Packet)
  await once(socket, 'data')
  for (let messageId = 1; messageId <= 5; messageId++)
    send({ cmd: 'publish', topic: 'devices/cnc-1/data', payload: 'x', qos: 2, messageId } as Packet)
  socket.resume()
  await once(socket, 'close')
  assert.ok((metric('extension_mqtt_broker_refusals', { reason: 'half_received' }) ?? 0) > 0)
  const line = logs.find(({ message }) => message === 'MQTT broker refused')
  assert.match(String(line?.fields.detail), /client cnc-1 has more than 3 messages without PUBREL/)
})

test('it listens on this machine alone unless it is told otherwise', async (t) => {
  const { logs } = await extensionHarness(t, factory, { tcp: { endpoint: 'localhost:0' } })
  assert.match(String(logs.find(({ message }) => message.endsWith('listens.'))?.fields.endpoint), /^127\.0\.0\.1:/)
})

test('a client that speaks MQTT 5 hears that this version is not spoken, and may come back with 3.1.1', async (t) => {
  const { client } = await broker(t)
  assert.match(await refusedBy(client({ protocolVersion: 5 })), /protocol version/i)
  assert.equal((await client({ protocolVersion: 4 })).connected, true)
})

test('the last retained message is what a later subscriber gets, and an empty one takes it away', async (t) => {
  const { client } = await broker(t)
  const machine = await client()
  for (const state of ['idle', 'running'])
    await machine.publishAsync('devices/cnc-1/status', state, { retain: true, qos: 1 })
  const late = await client()
  const got = inbox(late)
  await late.subscribeAsync('devices/+/status')
  await until(() => got.length > 0)
  assert.deepEqual(got, ['devices/cnc-1/status running'])
  await machine.publishAsync('devices/cnc-1/status', '', { retain: true, qos: 1 })
  const later = await client()
  const none = inbox(later)
  await later.subscribeAsync('devices/+/status')
  await machine.publishAsync('devices/cnc-1/status', 'mark')
  await until(() => none.length > 0)
  assert.deepEqual(none, ['devices/cnc-1/status mark'])
})

test('a session that outlives its connection gets what came meanwhile, in order, and each message once', async (t) => {
  const { client, url, metric } = await broker(t)
  const session = { clientId: 'router-1', clean: false } as const
  const first = await client(session)
  await first.subscribeAsync('devices/#', { qos: 1 })
  await first.endAsync()
  const machine = await client()
  const sent = Array.from({ length: 300 }, (_, at) => `devices/cnc-1/data ${at}`)
  for (const [at] of sent.entries()) await machine.publishAsync('devices/cnc-1/data', `${at}`, { qos: 1 })
  assert.equal(metric('extension_mqtt_broker_sessions'), 1)
  assert.ok(metric('extension_mqtt_broker_stored_size')! > 300 * 20)
  const { got } = resume(t, url(), session)
  await until(() => got.length >= sent.length)
  assert.deepEqual(got, sent)
  await until(() => metric('extension_mqtt_broker_stored_size') === 0)
})

test('the last will of a client that breaks off is published, and of one that says goodbye it is not', async (t) => {
  const { client } = await broker(t)
  const watcher = await client()
  const got = inbox(watcher)
  await watcher.subscribeAsync('devices/+/status')
  const will = (id: string) => ({ will: { topic: `devices/${id}/status`, payload: Buffer.from('offline') } })
  const polite = await client(will('cnc-1'))
  await polite.endAsync()
  const lost = await client(will('cnc-2'))
  lost.stream.destroy()
  await until(() => got.length > 0)
  assert.deepEqual(got, ['devices/cnc-2/status offline'])
})

test('tls and wss carry it too, and a client without the authority stays outside', async (t) => {
  const { certFile: cert_file, keyFile: key_file } = certs.server
  const { client, url } = await broker(t, {
    tls: { endpoint: ANY_PORT, cert_file, key_file },
    ws: { endpoint: ANY_PORT, tls: { cert_file, key_file } },
  })
  const listener = await client()
  const got = inbox(listener)
  await listener.subscribeAsync('from/#')
  for (const name of ['tls', 'wss']) {
    const secure = await client({ url: url(name), ca: certs.ca })
    await secure.publishAsync(`from/${name}`, 'x', { qos: 1 })
    assert.match(await refusedBy(client({ url: url(name) })), /certificate/)
  }
  await until(() => got.length === 2)
  assert.deepEqual(got, ['from/tls x', 'from/wss x'])
})

test('with client_ca_file only clients with a certificate of that authority get in', async (t) => {
  const { certFile: cert_file, keyFile: key_file } = certs.server
  const { client, url } = await broker(t, {
    tls: { endpoint: ANY_PORT, cert_file, key_file, client_ca_file: certs.caFile },
  })
  const known = await client({ url: url('tls'), ca: certs.ca, cert: certs.client.cert, key: certs.client.key })
  assert.equal(known.connected, true)
  const { cert, key } = certs.stranger
  assert.notEqual(await refusedBy(client({ url: url('tls'), ca: certs.ca, cert, key })), 'connected')
})

test('ws carries it, on its own path, and to pages of other sites only where allowed_origins names them', async (t) => {
  const { client, url, metric } = await broker(t, {
    ws: { endpoint: ANY_PORT, allowed_origins: ['https://hmi.example.com'] },
  })
  const page = await client({ url: url('ws') })
  const got = inbox(page)
  await page.subscribeAsync('devices/#')
  await page.publishAsync('devices/cnc-1/data', 'x', { qos: 1 })
  await until(() => got.length === 1)
  const opened = (path: string, origin?: string): Promise<string> =>
    new Promise((resolve) => {
      const ws = new WebSocket(url('ws').replace('/mqtt', path), 'mqtt', origin === undefined ? {} : { origin })
      ws.once('error', (error) => resolve(error.message)).once('open', () => {
        ws.terminate()
        resolve('open')
      })
    })
  assert.equal(await opened('/mqtt', 'https://hmi.example.com'), 'open')
  assert.match(await opened('/mqtt', 'https://elsewhere.example.com'), /403/)
  assert.match(await opened('/other'), /404/)
  assert.equal(metric('extension_mqtt_broker_refusals', { reason: 'websocket' }), 2)
})

const USERS = [
  { username: 'cnc-1', password: 'one', publish: ['devices/%u/data', 'devices/%u/status'], subscribe: [] },
  { username: 'router', password: 'two', subscribe: ['devices/#'] },
]

test('only who has a name and its password connects, and hears which of the two it lacks from neither', async (t) => {
  const { client, metric } = await broker(t, { users: USERS })
  for (const wrong of [
    {},
    { username: 'cnc-1' },
    { username: 'cnc-1', password: 'two' },
    { username: 'x', password: 'one' },
  ])
    assert.match(await refusedBy(client(wrong)), /bad user ?name or password/i)
  assert.equal(metric('extension_mqtt_broker_refusals', { reason: 'credentials' }), 4)
  assert.equal((await client({ username: 'cnc-1', password: 'one' })).connected, true)
})

test('a user publishes and subscribes where the list says, and a message elsewhere reaches nobody', async (t) => {
  const { client, metric } = await broker(t, { users: USERS })
  const router = await client({ username: 'router', password: 'two' })
  const got = inbox(router)
  await router.subscribeAsync('devices/+/data')
  for (const filter of ['#', '+/cnc-1/data', '$SYS/#', 'orders/1'])
    await assert.rejects(router.subscribeAsync(filter), /Unspecified error|not authorized/i, filter)
  const machine = await client({ username: 'cnc-1', password: 'one' })
  await machine.publishAsync('devices/cnc-1/data', 'mine', { qos: 1 })
  const closed = new Promise<void>((resolve) => machine.once('close', () => resolve()))
  machine.publish('devices/cnc-2/data', 'not mine', { qos: 1 }, () => {})
  await closed
  const again = await client({ username: 'cnc-1', password: 'one' })
  await again.publishAsync('devices/cnc-1/data', 'still here', { qos: 1 })
  await until(() => got.length === 2)
  assert.deepEqual(got, ['devices/cnc-1/data mine', 'devices/cnc-1/data still here'])
  assert.equal(metric('extension_mqtt_broker_refusals', { reason: 'publish' }), 1)
  assert.equal(metric('extension_mqtt_broker_refusals', { reason: 'subscribe' }), 4)
})

test('a name with a wildcard in it does not widen a right that is made from the name', async (t) => {
  const users = [{ username: '+', password: 'p', subscribe: ['devices/%u/data'] }]
  const { client } = await broker(t, { users })
  const sly = await client({ username: '+', password: 'p' })
  await assert.rejects(sly.subscribeAsync('devices/+/data'))
  await assert.rejects(sly.subscribeAsync('devices/cnc-1/data'))
})

test('with anonymous a client without a name may do what stands there', async (t) => {
  const { client } = await broker(t, { users: USERS, anonymous: { publish: ['devices/%c/data'] } })
  const guest = await client({ clientId: 'agv-7' })
  await guest.publishAsync('devices/agv-7/data', 'x', { qos: 1 })
  await assert.rejects(guest.subscribeAsync('devices/#'))
})

test('passwords may be known to an authenticator', async (t) => {
  const seen: string[] = []
  const serverAuthenticator = {
    challenge: 'Basic',
    authenticate: async (header: (name: string) => string | undefined) => {
      const [name, password] = Buffer.from(header('authorization')!.slice(6), 'base64').toString().split(':')
      seen.push(name!)
      return password === 'known' ? NO_ATTRIBUTES : new AuthRefusal('no')
    },
  }
  const config = { users: [{ username: 'router', subscribe: ['#'] }], auth: { authenticator: 'basicauth' } }
  const { client } = await broker(t, config, { basicauth: { serverAuthenticator } })
  assert.match(await refusedBy(client({ username: 'router', password: 'guess' })), /bad user/i)
  const router = await client({ username: 'router', password: 'known' })
  await router.subscribeAsync('devices/#')
  // Whom the list does not name stays outside, whatever the authenticator says.
  assert.match(await refusedBy(client({ username: 'other', password: 'known' })), /bad user/i)
  assert.deepEqual(seen, ['router', 'router', 'other'])
})

test("nobody takes another user's session by its client id", async (t) => {
  const users = ['a', 'b'].map((name) => ({ username: name, password: name, publish: ['#'], subscribe: ['#'] }))
  const { client, metric } = await broker(t, { users })
  const clientId = 'router-1'
  const mine = await client({ username: 'a', password: 'a', clientId, clean: false })
  await mine.subscribeAsync('devices/#', { qos: 1 })
  assert.match(await refusedBy(client({ username: 'b', password: 'b', clientId, clean: false })), /identifier/i)
  assert.equal(mine.connected, true)
  await mine.endAsync()
  assert.match(await refusedBy(client({ username: 'b', password: 'b', clientId, clean: false })), /identifier/i)
  assert.equal(metric('extension_mqtt_broker_refusals', { reason: 'client_id' }), 2)
})

test('a packet that announces more than max_packet_size ends its connection before it has come', async (t) => {
  const { client, url, metric } = await broker(t, { limits: { max_packet_size: '2KiB' } })
  const machine = await client()
  await machine.publishAsync('devices/cnc-1/data', Buffer.alloc(1900), { qos: 1 })
  const { hostname, port } = new URL(url())
  const socket = connectSocket(Number(port), hostname)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => {})
  // CONNECT with a remaining length of 256 MB less one, and nothing behind it.
  socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]))
  await closed
  const gone = new Promise<void>((resolve) => machine.once('close', () => resolve()))
  machine.publish('devices/cnc-1/data', Buffer.alloc(4000), { qos: 1 }, () => {})
  await gone
  assert.equal(metric('extension_mqtt_broker_refusals', { reason: 'packet_size' }), 2)
})

test('of a flood at QoS 1 every message arrives, in order for each client', async (t) => {
  const { client } = await broker(t)
  const reader = await client()
  const got = new Map<string, number[]>()
  reader.on('message', (topic, payload) => got.set(topic, [...(got.get(topic) ?? []), Number(String(payload).trim())]))
  await reader.subscribeAsync('flood/#', { qos: 1 })
  const machines = await Promise.all([client(), client(), client()])
  const numbers = Array.from({ length: 500 }, (_, at) => at)
  await Promise.all(
    machines.map((machine, index) =>
      Promise.all(numbers.map((at) => machine.publishAsync(`flood/${index}`, `${at}`.padEnd(300), { qos: 1 }))),
    ),
  )
  await until(() => [...got.values()].every((list) => list.length === numbers.length) && got.size === machines.length)
  for (const list of got.values()) assert.deepEqual(list, numbers)
})

test('a packet that comes in many pieces is taken whole', async (t) => {
  const { client } = await broker(t, { limits: { max_packet_size: '4MiB' } })
  const [machine, reader] = await Promise.all([client(), client()])
  let got = 0
  reader.on('message', (_topic, payload) => {
    got = payload.length
  })
  await reader.subscribeAsync('#')
  await machine.publishAsync('devices/cnc-1/data', Buffer.alloc(3_000_000), { qos: 1 })
  await until(() => got === 3_000_000)
})

test('bytes that are no MQTT end their own connection alone', async (t) => {
  const { client, url, metric } = await broker(t)
  const machine = await client()
  const { hostname, port } = new URL(url())
  const socket = connectSocket(Number(port), hostname, () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))
  await machine.publishAsync('devices/cnc-1/data', 'x', { qos: 1 })
  await until(() => metric('extension_mqtt_broker_refusals', { reason: 'protocol' }) === 1)
})

test('a connection that never says CONNECT is closed after connect_timeout', async (t) => {
  const { url } = await broker(t, { limits: { connect_timeout: '100ms' } })
  const { hostname, port } = new URL(url())
  const socket = connectSocket(Number(port), hostname)
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))
})

test('beyond max_queued_messages the session keeps what it has, counts the rest, and works on', async (t) => {
  const { client, url, metric } = await broker(t, { limits: { max_queued_messages: 5 } })
  const session = { clientId: 'router-1', clean: false } as const
  const first = await client(session)
  await first.subscribeAsync('devices/#', { qos: 1 })
  await first.endAsync()
  const machine = await client()
  for (let at = 0; at < 8; at++) await machine.publishAsync('devices/cnc-1/data', `${at}`, { qos: 1 })
  await until(() => metric('extension_mqtt_broker_unkept_messages', { reason: 'session_full' }) === 3)
  const { got } = resume(t, url(), session)
  await until(() => got.length === 5)
  assert.deepEqual(
    got,
    [0, 1, 2, 3, 4].map((at) => `devices/cnc-1/data ${at}`),
  )
  await machine.publishAsync('devices/cnc-1/data', 'after', { qos: 1 })
  await until(() => got.includes('devices/cnc-1/data after'))
})

test('beyond max_sessions and max_subscriptions a client is told so', async (t) => {
  const { client, metric } = await broker(t, { limits: { max_sessions: 1, max_subscriptions: 2 } })
  await client({ clientId: 'router-1', clean: false })
  assert.match(await refusedBy(client({ clientId: 'router-2', clean: false })), /unavailable/i)
  const many = await client()
  await many.subscribeAsync(['a', 'b'])
  await assert.rejects(many.subscribeAsync('c'))
  assert.equal(metric('extension_mqtt_broker_refusals', { reason: 'sessions' }), 1)
  assert.equal(metric('extension_mqtt_broker_refusals', { reason: 'subscribe' }), 1)
})

test('a shared subscription, which it does not have, is refused instead of never delivering', async (t) => {
  const { client } = await broker(t)
  const member = await client()
  await assert.rejects(member.subscribeAsync('$share/routers/devices/#'))
})

test('of several shards only the first one listens', async (t) => {
  const shards = { index: 1, count: 2, sharePorts: true, alone: false }
  const { logs } = await extensionHarness(t, factory, { tcp: { endpoint: ANY_PORT } }, {}, shards)
  assert.deepEqual(logs, [])
})

test('stop ends every connection, also those that said nothing yet, and frees the port', async (t) => {
  const { client, url, stop } = await broker(t, { ws: { endpoint: ANY_PORT } })
  const machines = await Promise.all([client(), client({ url: url('ws') })])
  const { hostname, port } = new URL(url())
  const silent = connectSocket(Number(port), hostname)
  silent.on('error', () => {})
  await new Promise((resolve) => silent.once('connect', resolve))
  const closed = Promise.all([...machines, silent].map((one) => once(one as EventEmitter, 'close')))
  await stop()
  await closed
  await broker(t, { tcp: { endpoint: `127.0.0.1:${port}` } })
})
