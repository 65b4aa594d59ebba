// A host of Sparkplug B for tests, as strict as it can be: what a message may not say yet is an error.

import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

const root = protobuf.loadSync(fileURLToPath(new URL('../../proto/sparkplug/sparkplug_b.proto', import.meta.url)))
const Payload = root.lookupType('org.eclipse.tahu.protobuf.Payload')

// biome-ignore-start lint/suspicious/noExplicitAny: decoded messages as plain objects
export interface Heard {
  readonly verb: string
  readonly node: string
  readonly device: string | undefined
  readonly payload: any
}

export const decodeSparkplug = (bytes: Uint8Array): any =>
  Payload.toObject(Payload.decode(bytes), { longs: Number, oneofs: true })

/** Values, units and so on of every metric it was told of, by `node/device/name`. */
export class StrictHost {
  readonly heard: Heard[] = []
  readonly values = new Map<string, { value: unknown; type: number; unit: string | undefined; atMs: number }>()
  readonly historical: { key: string; atMs: number; value: unknown }[] = []
  readonly #seqs = new Map<string, number>()
  readonly #aliases = new Map<string, string>()

  take(topic: string, bytes: Uint8Array): void {
    const [namespace, , verb = '', node = '', device] = topic.split('/')
    assert.equal(namespace, 'spBv1.0')
    const payload = decodeSparkplug(bytes)
    this.heard.push({ verb, node, device, payload })
    if (verb === 'NDEATH') {
      assert.equal(payload.seq, undefined)
      this.#seqs.delete(node)
      return
    }
    if (verb.endsWith('CMD')) return
    const last = this.#seqs.get(node)
    if (verb === 'NBIRTH') assert.equal(payload.seq, 0)
    else assert.equal(payload.seq, (last! + 1) % 256, `${topic} after seq ${last}`)
    this.#seqs.set(node, payload.seq)
    for (const metric of payload.metrics ?? []) this.#metric(verb, node, device, metric)
  }

  #metric(verb: string, node: string, device: string | undefined, metric: any): void {
    const isBirth = verb.endsWith('BIRTH')
    assert.ok(metric.timestamp > 0, 'every metric has a time')
    if (isBirth) {
      const key = `${node}/${device ?? ''}/${metric.name}`
      const alias = `${node} ${metric.alias}`
      if (metric.alias !== undefined) {
        assert.equal(this.#aliases.get(alias) ?? key, key, 'an alias is that of one metric of its edge node')
        this.#aliases.set(alias, key)
      }
      const at = metric.properties?.keys.indexOf('engUnit') ?? -1
      if (metric.name.includes('/') === false && metric.name !== 'bdSeq')
        assert.equal(metric.properties.values[metric.properties.keys.indexOf('Quality')].intValue, 192)
      const unit = at === -1 ? undefined : metric.properties.values[at].stringValue
      this.values.set(key, { value: metric[metric.value], type: metric.datatype, unit, atMs: metric.timestamp })
      return
    }
    assert.equal(metric.name, undefined)
    assert.equal(metric.datatype, undefined)
    const key = this.#aliases.get(`${node} ${metric.alias}`) ?? ''
    assert.ok(key.startsWith(`${node}/${device}/`), `alias ${metric.alias} of ${node}/${device} was born`)
    const known = this.values.get(key)!
    const value = metric[metric.value]
    if (metric.isHistorical === true) this.historical.push({ key, atMs: metric.timestamp, value })
    else this.values.set(key, { ...known, value, atMs: metric.timestamp })
  }
}
// biome-ignore-end lint/suspicious/noExplicitAny: as above
