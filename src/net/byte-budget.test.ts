import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteBudget, type RequestBytes } from './byte-budget.ts'

test('whatever requests do, the budget holds what they hold, never more than its bound, and nothing in the end', () => {
  const step = fc.tuple(fc.nat(5), fc.nat(9), fc.nat(400))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const budget = new ByteBudget(1000, { arrivingPerConnection: 500, perRequest: 10 })
      const keys = [{}, {}, {}]
      const arriving: RequestBytes[] = []
      const whole: RequestBytes[] = []
      const forget = (request: RequestBytes): void => void arriving.splice(arriving.indexOf(request), 1)
      for (const [what, which, bytes] of steps) {
        const request = arriving[which % Math.max(1, arriving.length)]
        if (what <= 1) {
          const opened: RequestBytes | undefined = budget.connection(keys[which % 3]!).open(300, () => forget(opened!))
          if (opened !== undefined) arriving.push(opened)
        } else if (request === undefined) continue
        else if (what === 2) {
          if (!request.take(bytes)) {
            request.end()
            forget(request)
          }
        } else if (what === 3) {
          forget(request)
          if (request.arrived(bytes)) whole.push(request)
        } else if (what === 4) {
          request.end()
          request.end()
          forget(request)
        } else whole.shift()?.end()
        const held = [...arriving, ...whole].reduce((sum, { held }) => sum + held, 0)
        assert.equal(budget.used, held)
        assert.ok(budget.used <= budget.max)
        for (const key of keys) assert.ok(budget.connection(key).arrivingBytes <= 500)
      }
      for (const request of [...arriving, ...whole]) request.end()
      assert.equal(budget.used, 0)
      for (const key of keys) assert.equal(budget.connection(key).arrivingBytes, 0)
    }),
    { numRuns: 300 },
  )
})

test('who asks for more than anybody else has is refused, and takes nothing from them', () => {
  const budget = new ByteBudget(1000)
  let gaveWay = 0
  const small = Array.from({ length: 4 }, () => {
    const request = budget.connection({}).open(1000, () => gaveWay++)!
    assert.ok(request.take(200))
    return request
  })
  const large = budget.connection({}).open(1000, () => {})!
  assert.equal(large.take(300), false)
  assert.equal(gaveWay, 0)
  assert.equal(small[0]!.arrived(200), true)
  assert.equal(large.take(150), true)
  const next = budget.connection({}).open(1000, () => {})!
  assert.equal(next.take(100), true)
  assert.equal(gaveWay, 1)
})
