import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { encode, REQUEST_NAME, requestArbitrary } from '../../test/support/oracle.ts'
import { chooser, scramble } from '../../test/support/scramble.ts'
import { Writer } from '../wire/writer.ts'
import { checkRequest, MAX_MESSAGE_DEPTH, MalformedOtlp } from './check.ts'
import { encodeKeyValue, encodeMap, encodeString, encodeText } from './encode.ts'
import { type Field, MESSAGES } from './fields.ts'
import { SIGNALS, type Signal } from './signal.ts'

// Every message of every signal: one example with all its fields, and the way down to it from the request.
interface Example {
  readonly signal: Signal
  readonly message: string
  /** Field numbers from the request to the message. */
  readonly path: readonly number[]
}

function examples(): Example[] {
  const found = new Map<string, Example>()
  const visit = (signal: Signal, message: string, path: readonly number[]): void => {
    if (found.has(`${signal} ${message}`)) return
    found.set(`${signal} ${message}`, { signal, message, path })
    for (const field of MESSAGES[message]!.fields)
      if (field.kind === 'message') visit(signal, field.type!, [...path, field.number])
  }
  for (const signal of SIGNALS) visit(signal, REQUEST_NAME[signal], [])
  return [...found.values()]
}

function value(field: Field, wireType = field.wireType): Uint8Array {
  const writer = new Writer().tag(field.number, wireType)
  if (wireType === 0) return writer.varint(1 + field.number).toBytes()
  if (wireType === 1) return writer.f64(0.5).toBytes()
  if (wireType === 5) return writer.copy(Uint8Array.of(9, 9, 9, 9)).toBytes()
  if (field.kind === 'message') return writer.varint(0).toBytes()
  const text = encodeText('grün'.padEnd(field.idBytes === undefined ? 4 : field.idBytes - 1, 'x'))
  return writer.varint(text.length).copy(text).toBytes()
}

const packed = (field: Field): Uint8Array => {
  const one = value(field)
  const tagSize = new Writer().tag(field.number, 0).length
  return new Writer().field(field.number, new Writer().copy(one, tagSize).copy(one, tagSize).toBytes()).toBytes()
}

function wrap(path: readonly number[], message: Uint8Array): Uint8Array {
  return path.reduceRight<Uint8Array>((inner, number) => new Writer().field(number, inner).toBytes(), message)
}

const concat = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))

const refused = (signal: Signal, bytes: Uint8Array, what?: RegExp): void => {
  assert.throws(
    () => checkRequest(signal, bytes),
    (error: unknown) => error instanceof MalformedOtlp && (what === undefined || what.test(error.message)),
    Buffer.from(bytes).toString('hex'),
  )
}

for (const { signal, message, path } of examples()) {
  const { fields } = MESSAGES[message]!
  const name = `${signal}: ${message.slice(message.lastIndexOf('.') + 1)}`
  const at = (contents: Uint8Array): Uint8Array => wrap(path, contents)

  test(`${name} passes with every field, in either order, repeated, packed and unpacked`, () => {
    const ascending = fields.map((field) => value(field))
    checkRequest(signal, at(concat(...ascending)))
    checkRequest(signal, at(concat(...ascending.toReversed())))
    checkRequest(signal, at(concat(...ascending, ...ascending)))
    checkRequest(signal, at(concat(...fields.map((field) => (field.packed ? packed(field) : value(field))))))
  })

  test(`${name} cut off at any byte of any field is refused`, () => {
    for (const field of fields) {
      for (const encoded of field.packed ? [value(field), packed(field)] : [value(field)]) {
        for (let size = 1; size < encoded.length; size++) refused(signal, at(encoded.slice(0, size)))
        const whole = at(encoded)
        for (let size = 1; size < whole.length; size++) {
          // At the outermost level a cut between two fields is a shorter request; inside it never is.
          if (path.length > 0 || size < encoded.length) refused(signal, whole.slice(0, size))
        }
      }
    }
  })

  test(`${name} keeps unknown fields and known numbers with foreign wire types`, () => {
    const garbage = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff)
    for (const number of [MESSAGES[message]!.wireType.length, 100, 2 ** 29 - 1]) {
      checkRequest(signal, at(new Writer().field(number, garbage).toBytes()))
      checkRequest(
        signal,
        at(
          new Writer()
            .tag(number, 0)
            .varint(2 ** 40)
            .toBytes(),
        ),
      )
      checkRequest(signal, at(new Writer().tag(number, 1).f64(1).toBytes()))
      checkRequest(signal, at(new Writer().tag(number, 5).copy(garbage, 0, 4).toBytes()))
    }
    for (const field of fields) {
      for (const wireType of [0, 1, 2, 5]) {
        if (wireType === field.wireType || (field.packed && wireType === 2)) continue
        checkRequest(signal, at(value({ ...field, kind: 'bytes' }, wireType)))
        const foreign = value({ ...field, kind: 'bytes' }, wireType)
        for (let size = 1; size < foreign.length; size++) refused(signal, at(foreign.slice(0, size)))
      }
    }
  })

  test(`${name} refuses field number 0, groups, endless numbers and lengths that lie`, () => {
    const tag = fields[0] === undefined ? 8 : fields[0].number * 8
    refused(signal, at(Uint8Array.of(0, 0)), /field number 0/)
    refused(signal, at(Uint8Array.of(2, 0)), /field number 0/)
    for (const wireType of [3, 4, 6, 7]) refused(signal, at(Uint8Array.of(tag + wireType, 0, 0)), /wire type/)
    refused(signal, at(new Writer().tag(3000, 0).copy(new Uint8Array(11).fill(0x80)).toBytes()), /64 bits/)
    refused(signal, at(concat(Uint8Array.of(0xf8, 7), new Uint8Array(9).fill(0xff), Uint8Array.of(2))), /64 bits/)
    checkRequest(signal, at(concat(Uint8Array.of(0xf8, 7), new Uint8Array(9).fill(0xff), Uint8Array.of(1))))
    for (const length of [1, 127, 128, 2 ** 31, 2 ** 32 - 1, 2 ** 34])
      refused(signal, at(new Writer().tag(100, 2).varint(length).toBytes()))
    refused(signal, at(concat(Uint8Array.of(0xa2, 6), new Uint8Array(9).fill(0x80), Uint8Array.of(0))))
    refused(signal, at(concat(new Uint8Array(5).fill(0xff), Uint8Array.of(0x7f, 0))))
  })

  for (const field of fields) {
    if (field.kind === 'string') {
      test(`${name}.${field.name} must be UTF-8`, () => {
        const text = (bytes: Uint8Array): Uint8Array => at(new Writer().field(field.number, bytes).toBytes())
        for (const good of ['', 'a', 'abcdefg', 'é', '€uro', '🙂', '\u0000', 'x'.repeat(130), 'é'.repeat(70)])
          checkRequest(signal, text(encodeText(good)))
        for (const bad of BAD_UTF8) {
          refused(signal, text(bad), /UTF-8/)
          refused(signal, text(concat(encodeText('some text '), bad)), /UTF-8/)
          refused(signal, text(concat(encodeText('long '.repeat(30)), bad, encodeText('more'))), /UTF-8/)
        }
      })
    }
    if (field.idBytes !== undefined) {
      test(`${name}.${field.name} has ${field.idBytes} bytes or none, each time it is given`, () => {
        for (const size of [0, 1, 7, 8, 9, 15, 16, 17, 32, 200]) {
          const id = new Writer().field(field.number, new Uint8Array(size)).toBytes()
          if (size === 0 || size === field.idBytes) checkRequest(signal, at(id))
          else {
            refused(signal, at(id), /bytes long/)
            refused(signal, at(concat(id, value(field))), /bytes long/)
          }
        }
      })
    }
  }
}

const BAD_UTF8 = [
  [0x80], // continuation alone
  [0xc3], // cut short
  [0xe2, 0x82],
  [0xf0, 0x9f, 0x99],
  [0xc0, 0xaf], // overlong
  [0xe0, 0x9f, 0xbf],
  [0xf0, 0x8f, 0xbf, 0xbf],
  [0xed, 0xa0, 0x80], // surrogate
  [0xf4, 0x90, 0x80, 0x80], // above U+10FFFF
  [0xff],
  [0xc3, 0x28],
].map((bytes) => Uint8Array.from(bytes))

test('attribute keys and values in every usual shape are checked for UTF-8', () => {
  const withAttribute = (keyValue: Uint8Array): Uint8Array => wrap([1, 2, 2, 9], keyValue)
  for (const bad of BAD_UTF8) {
    const badString = new Writer().field(1, bad).toBytes()
    refused('traces', withAttribute(encodeKeyValue(encodeText('key'), badString)), /AnyValue.string_value: not UTF-8/)
    refused('traces', withAttribute(encodeKeyValue(bad, encodeString('value'))), /KeyValue.key: not UTF-8/)
    refused('traces', withAttribute(encodeKeyValue(bad, Uint8Array.of(24, 5))), /KeyValue.key: not UTF-8/)
    refused('traces', withAttribute(encodeKeyValue(bad, new Uint8Array(0))), /KeyValue.key: not UTF-8/)
    refused('traces', withAttribute(encodeKeyValue(bad, new Writer().tag(4, 1).f64(1).toBytes())), /not UTF-8/)
  }
  checkRequest('traces', withAttribute(encodeKeyValue(encodeText('schlüssel'), encodeString('wörter'))))
  checkRequest('traces', withAttribute(encodeKeyValue(encodeText('k'.repeat(300)), encodeString('v'.repeat(300)))))
  // A varint of ten bytes behind a key, one of eleven, and bytes behind the value.
  const long = Uint8Array.of(24, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)
  checkRequest('traces', withAttribute(encodeKeyValue(encodeText('k'), long)))
  refused('traces', withAttribute(encodeKeyValue(encodeText('k'), concat(long.with(10, 0x81), Uint8Array.of(1)))))
  refused('traces', withAttribute(encodeKeyValue(encodeText('k'), Uint8Array.of(24, 0x80))))
  refused('traces', withAttribute(encodeKeyValue(encodeText('k'), Uint8Array.of(10, 3, 0x61))))
  refused('traces', withAttribute(encodeKeyValue(encodeText('k'), Uint8Array.of(33, 1, 2, 3, 4, 5, 6, 7))))
})

test(`values nested beyond ${MAX_MESSAGE_DEPTH} messages are refused before the stack knows`, () => {
  const lists = (count: number): Uint8Array => {
    let value: Uint8Array = encodeString('x')
    for (let i = 0; i < count; i++) value = new Writer().field(5, new Writer().field(1, value).toBytes()).toBytes()
    return wrap([1, 2, 2, 5], value)
  }
  // Request, resource, scope, record, body: five; a list adds two.
  checkRequest('logs', lists(47))
  refused('logs', lists(48), /nested/)
  refused('logs', lists(20_000), /nested/)
  let maps: Uint8Array = encodeString('x')
  for (let i = 0; i < 31; i++) maps = encodeMap([['k', maps]])
  checkRequest('logs', wrap([1, 2, 2, 5], maps))
  refused('logs', wrap([1, 2, 2, 5], encodeMap([['k', maps]])), /nested/)
})

test('the error names message, field and offset', () => {
  const request = wrap([1, 2, 2], new Writer().field(1, new Uint8Array(3)).toBytes())
  const from = concat(new Uint8Array(10), request, new Uint8Array(10))
  assert.throws(() => checkRequest('traces', from, 10, 10 + request.length), {
    message: 'Span.trace_id: 3 bytes long, not 16 at byte 8',
    offset: 8,
  })
})

test('a request inside a larger array is checked as if it stood alone', () => {
  const request = wrap([1, 2, 2], new Writer().field(5, encodeText('name')).toBytes())
  const around = concat(new Uint8Array(7).fill(0xff), request, new Uint8Array(9).fill(0xff))
  assert.equal(checkRequest('traces', around, 7, 7 + request.length), 1)
  assert.equal(checkRequest('traces', around.subarray(7, 7 + request.length)), 1)
  refused('traces', around.subarray(7, 8 + request.length))
})

const POINT_FIELDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary']

/** Items of a request as protobufjs sees it. */
export function itemsOf(signal: Signal, request: Record<string, unknown>): number {
  const list = (parent: unknown, key: string): Record<string, unknown>[] =>
    ((parent as Record<string, unknown>)[key] as Record<string, unknown>[] | undefined) ?? []
  const words = { traces: 'Spans', metrics: 'Metrics', logs: 'Logs', profiles: 'Profiles' } as const
  const inner = { traces: 'spans', metrics: 'metrics', logs: 'logRecords', profiles: 'profiles' } as const
  let items = 0
  for (const resource of list(request, `resource${words[signal]}`))
    for (const scope of list(resource, `scope${words[signal]}`))
      for (const item of list(scope, inner[signal])) {
        if (signal === 'traces' || signal === 'logs') items++
        else if (signal === 'profiles') items += list(item, 'samples').length
        else
          for (const kind of POINT_FIELDS) if (item[kind] !== undefined) items += list(item[kind], 'dataPoints').length
      }
  return items
}

for (const signal of SIGNALS) {
  test(`${signal}: random requests pass in every encoding of theirs, and their items are counted`, () => {
    void fc.assert(
      fc.property(requestArbitrary(signal), fc.integer(), (request, seed) => {
        const bytes = encode(signal, request)
        assert.equal(checkRequest(signal, bytes), itemsOf(signal, request))
        const scrambled = scramble(REQUEST_NAME[signal], bytes, chooser(seed))
        assert.equal(checkRequest(signal, scrambled), itemsOf(signal, request))
      }),
      { numRuns: 60 },
    )
  })
}

test('of several kinds of data in a metric, the points of the last count', () => {
  const metric = (...kinds: [number, number][]): Uint8Array =>
    wrap(
      [1, 2, 2],
      concat(
        ...kinds.map(([field, points]) =>
          new Writer().field(field, concat(...Array.from({ length: points }, () => Uint8Array.of(10, 0)))).toBytes(),
        ),
      ),
    )
  assert.equal(checkRequest('metrics', metric([5, 2], [7, 3])), 3)
  assert.equal(checkRequest('metrics', metric([5, 2], [5, 3])), 5)
  assert.equal(checkRequest('metrics', metric([5, 2], [9, 1], [5, 3])), 3)
})
