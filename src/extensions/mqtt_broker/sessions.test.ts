import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StoredPacket } from 'aedes-persistence/asyncPersistence.js'
import { type NotKept, SessionStore } from './sessions.ts'

function store(bounds: { maxQueuedMessages?: number; maxStoredBytes?: number } = {}) {
  const notKept: NotKept[] = []
  const sessions = new SessionStore({ maxQueuedMessages: 100, maxStoredBytes: 1e6, ...bounds }, (r) => notKept.push(r))
  sessions.open('c')
  return { sessions, notKept }
}

const client = { id: 'c' }
const message = (brokerCounter: number, bytes = 10): StoredPacket => ({
  cmd: 'publish',
  topic: 't',
  payload: Buffer.alloc(bytes),
  brokerCounter,
})
const kept = async (sessions: SessionStore): Promise<StoredPacket[]> => await sessions.outgoingStream(client).toArray()

test('what is acknowledged is forgotten, whatever the order, and its room is free again', async () => {
  const { sessions } = store()
  for (let order = 1; order <= 5; order++) {
    await sessions.outgoingEnqueueCombi([{ clientId: 'c' }, { clientId: 'unknown' }], message(order))
    await sessions.outgoingUpdate(client, { ...message(order), messageId: 100 + order })
  }
  for (const messageId of [103, 101, 105, 102, 104])
    assert.equal((await sessions.outgoingClearMessageId(client, { ...message(0), messageId }))?.messageId, messageId)
  assert.deepEqual(await kept(sessions), [])
  assert.equal(sessions.storedBytes, 0)
})

test('a packet identifier that is given anew after a reconnect leaves the old one free', async () => {
  const { sessions } = store()
  await sessions.outgoingEnqueue({ clientId: 'c' }, message(1))
  await sessions.outgoingUpdate(client, { ...message(1), messageId: 7 })
  await sessions.outgoingUpdate(client, { ...message(1), messageId: 8 })
  assert.equal(await sessions.outgoingClearMessageId(client, { ...message(0), messageId: 7 }), undefined)
  assert.equal((await kept(sessions)).length, 1)
  await sessions.outgoingClearMessageId(client, { ...message(0), messageId: 8 })
  assert.deepEqual(await kept(sessions), [])
})

test('once received at QoS 2 a message waits as its PUBREL, at its place', async () => {
  const { sessions } = store()
  for (const order of [1, 2]) {
    await sessions.outgoingEnqueue({ clientId: 'c' }, message(order))
    await sessions.outgoingUpdate(client, { ...message(order), messageId: order })
  }
  await sessions.outgoingUpdate(client, { ...message(0), cmd: 'pubrel', messageId: 1 })
  assert.deepEqual(
    (await kept(sessions)).map(({ cmd }) => cmd),
    ['pubrel', 'publish'],
  )
})

test('beyond max_queued_messages and max_stored_size nothing more is kept, and each is counted', async () => {
  const { sessions, notKept } = store({ maxQueuedMessages: 2, maxStoredBytes: 2_000 })
  for (let order = 1; order <= 3; order++) await sessions.outgoingEnqueue({ clientId: 'c' }, message(order))
  await sessions.storeRetained({ ...message(4), topic: 'big', payload: Buffer.alloc(2_000) })
  assert.deepEqual(notKept, ['session_full', 'store_full'])
  assert.equal((await kept(sessions)).length, 2)
  assert.equal(sessions.retainedCount, 0)
})

test('a retained message takes the room of the one before it, and an empty one gives it back', async () => {
  const { sessions } = store()
  await sessions.storeRetained(message(1, 500))
  const before = sessions.storedBytes
  await sessions.storeRetained(message(2, 500))
  assert.equal(sessions.storedBytes, before)
  await sessions.storeRetained(message(3, 0))
  assert.equal(sessions.storedBytes, 0)
})

test('a session that its client ends takes its messages along', async () => {
  const { sessions } = store()
  await sessions.outgoingEnqueue({ clientId: 'c' }, message(1))
  await sessions.cleanSubscriptions(client)
  assert.equal(sessions.storedBytes, 0)
  assert.equal(sessions.sessionCount, 0)
})

test('a message at QoS 2 is known from PUBLISH to PUBREL, to its own client alone, and leaves nothing behind', async () => {
  const { sessions } = store()
  const half = { ...message(1), messageId: 7 }
  await assert.rejects(sessions.incomingGetPacket(client, half))
  await sessions.incomingStorePacket(client, half)
  assert.equal(await sessions.incomingGetPacket(client, half), half)
  await assert.rejects(sessions.incomingGetPacket({ id: 'other' }, half))
  await sessions.incomingDelPacket(client, half)
  await assert.rejects(sessions.incomingDelPacket(client, half))
  await assert.rejects(sessions.incomingGetPacket(client, half))
  assert.equal(sessions.halfReceivedClients, 0)
})

test('a client that begins anew may use its packet identifiers again', async () => {
  const { sessions } = store()
  await sessions.incomingStorePacket(client, { ...message(1), messageId: 7 })
  await sessions.cleanIncoming(client)
  await assert.rejects(sessions.incomingGetPacket(client, { ...message(1), messageId: 7 }))
  assert.equal(sessions.halfReceivedClients, 0)
})
