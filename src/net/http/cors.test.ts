import assert from 'node:assert/strict'
import { test } from 'node:test'
import { corsRules } from './cors.ts'

const rules = (...allowedOrigins: string[]) =>
  corsRules({ allowedOrigins, allowedHeaders: [], exposedHeaders: [], maxAgeSeconds: 0 })!
const isAllowed = (origin: string, ...origins: string[]): boolean =>
  rules(...origins)('POST', { origin }).headers['access-control-allow-origin'] === origin

test('one star in an origin stands for any text, whatever the case of the letters', () => {
  assert.ok(isAllowed('https://hmi.plant.test', 'https://*.plant.test'))
  assert.ok(isAllowed('https://HMI.Plant.test', 'https://*.plant.test'))
  assert.ok(!isAllowed('https://plant.test', 'https://*.plant.test'))
  assert.ok(!isAllowed('https://hmi.plant.test.evil', 'https://*.plant.test'))
  assert.ok(!isAllowed('http://a.test', 'http://a.tes', 'http://xa.test'))
})

test('before and behind the star must not overlap', () => {
  assert.ok(!isAllowed('http://aba', 'http://ab*ba'))
  assert.ok(isAllowed('http://abba', 'http://ab*ba'))
})

test('a long origin against many stars costs no more than its length', () => {
  const started = performance.now()
  assert.ok(!isAllowed(`http://${'a'.repeat(60_000)}`, `http://${'*a'.repeat(30)}b`))
  assert.ok(performance.now() - started < 500)
})
