import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DeliveryCode } from './codes.ts'
import { Delivery, type DeliveryListener } from './delivery.ts'
import { DeliveryError } from './error.ts'

const refusal = (code: DeliveryCode = 'QUEUE_FULL'): DeliveryError =>
  new DeliveryError(code, 'sending queue is full', { retry: 'backoff' })

function recorded(waits = false): { delivery: Delivery; heard: string[] } {
  const heard: string[] = []
  const listener: DeliveryListener = {
    onAccepted: () => heard.push('accepted'),
    onDelivered: () => heard.push('delivered'),
    onRefused: (error, accepted) => heard.push(`refused ${error.code}${accepted ? ' after acceptance' : ''}`),
  }
  return { delivery: new Delivery(listener, waits), heard }
}

test('delivering a batch that no buffer took reports acceptance first', () => {
  const { delivery, heard } = recorded()
  delivery.deliver()
  assert.deepEqual(heard, ['accepted', 'delivered'])
  assert.ok(delivery.settled && delivery.accepted)
})

test('a batch that passes two buffers is accepted once', () => {
  const { delivery, heard } = recorded()
  delivery.accept()
  delivery.accept()
  delivery.refuse(refusal())
  assert.deepEqual(heard, ['accepted', 'refused QUEUE_FULL after acceptance'])
})

test('settling a batch twice throws, whichever way', () => {
  for (const first of ['deliver', 'refuse'] as const) {
    for (const second of ['deliver', 'refuse', 'accept'] as const) {
      const { delivery } = recorded()
      if (first === 'deliver') delivery.deliver()
      else delivery.refuse(refusal())
      assert.throws(() => (second === 'refuse' ? delivery.refuse(refusal()) : delivery[second]()), /invariant/)
    }
  }
})

test('of an abandoned batch nothing more is heard, and a settled one cannot be abandoned', () => {
  const { delivery, heard } = recorded()
  delivery.accept()
  delivery.abandon(refusal())
  assert.ok(delivery.settled && !delivery.accepted)
  delivery.accept()
  delivery.deliver()
  delivery.refuse(refusal())
  assert.deepEqual(heard, ['accepted', 'refused QUEUE_FULL after acceptance'])

  const done = recorded()
  done.delivery.deliver()
  done.delivery.abandon(refusal())
  assert.deepEqual(done.heard, ['accepted', 'delivered'])
  assert.throws(() => done.delivery.deliver(), /settled twice/)
})

test('a record that waits hears nothing of buffers, only the end', () => {
  const delivered = recorded(true)
  delivered.delivery.accept()
  assert.deepEqual(delivered.heard, [])
  assert.equal(delivered.delivery.accepted, false)
  delivered.delivery.deliver()
  assert.deepEqual(delivered.heard, ['accepted', 'delivered'])

  const refused = recorded(true)
  refused.delivery.accept()
  refused.delivery.refuse(refusal())
  assert.deepEqual(refused.heard, ['refused QUEUE_FULL'])
})

test('the parts of a record that waits wait too: the last of them says what became of the whole', () => {
  const { delivery, heard } = recorded(true)
  const [a, b] = delivery.split(2)
  a!.accept()
  b!.refuse(refusal())
  assert.deepEqual(heard, [])
  a!.deliver()
  assert.deepEqual(heard, ['refused QUEUE_FULL'])
})

test('a split batch is accepted when all parts are, and delivered when all parts are', () => {
  const { delivery, heard } = recorded()
  const [a, b] = delivery.split(2)
  a!.accept()
  assert.deepEqual(heard, [])
  b!.deliver()
  assert.deepEqual(heard, ['accepted'])
  a!.deliver()
  assert.deepEqual(heard, ['accepted', 'delivered'])
})

test('one refused part refuses the whole as soon as no part is pending, and the other may still travel on', () => {
  const { delivery, heard } = recorded()
  const [a, b] = delivery.split(2)
  a!.refuse(refusal())
  assert.deepEqual(heard, [])
  b!.accept()
  assert.deepEqual(heard, ['refused QUEUE_FULL'])
  b!.deliver()
  assert.deepEqual(heard, ['refused QUEUE_FULL'])
})

test('a part refused after the whole was accepted refuses the whole as lost', () => {
  const { delivery, heard } = recorded()
  const [a, b] = delivery.split(2)
  a!.accept()
  b!.accept()
  a!.refuse(refusal('NEXT_HOP_REFUSED'))
  b!.deliver()
  assert.deepEqual(heard, ['accepted', 'refused NEXT_HOP_REFUSED after acceptance'])
})

test('what happens to a merged batch happens to each of its parts', () => {
  const one = recorded()
  const two = recorded()
  const merged = Delivery.merge([one.delivery, two.delivery])
  merged.accept()
  merged.refuse(refusal())
  for (const { heard } of [one, two]) assert.deepEqual(heard, ['accepted', 'refused QUEUE_FULL after acceptance'])
})

test('through any tree of splits and merges every original hears exactly one final word', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 60 }), (choices) => {
      let at = 0
      const choose = (below: number): number => choices[at++ % choices.length]! % below
      const originals = Array.from({ length: 1 + choose(4) }, () => recorded(choose(2) === 0))
      let open = originals.map((o) => o.delivery)
      for (let round = 0; round < 4; round++) {
        if (choose(2) === 0) open = open.flatMap((d) => d.split(1 + choose(3)))
        else {
          const merged: Delivery[] = []
          while (open.length > 0) merged.push(Delivery.merge(open.splice(0, 1 + choose(3))))
          open = merged
        }
      }
      let refusals = 0
      for (const delivery of open) {
        if (choose(2) === 0) delivery.accept()
        if (choose(3) === 0) {
          delivery.refuse(refusal())
          refusals++
        } else delivery.deliver()
      }
      for (const { heard } of originals) {
        assert.equal(heard.filter((word) => !word.startsWith('accepted')).length, 1, heard.join())
        if (refusals === 0) assert.deepEqual(heard, ['accepted', 'delivered'])
      }
    }),
  )
})
