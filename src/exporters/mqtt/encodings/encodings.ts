// Which encoder writes a signal.

import { ConfigError } from '../../../config/problem.ts'
import type { Signal } from '../../../otlp/signal.ts'
import { Writer } from '../../../wire/writer.ts'
import type { Encoding, MqttExporterConfig } from '../config.ts'
import { TopicWriter } from '../topic-template.ts'
import { JsonPointsEncoder } from './json-points.ts'
import { OtlpEncoder } from './otlp.ts'
import { type Encoder, type EncoderOptions, staticProperties } from './packing.ts'
import { RecordEncoder } from './records.ts'
import { ValueEncoder } from './value.ts'

type Form = Exclude<Encoding, 'auto'>

const FORMS: Readonly<
  Record<
    Form,
    { readonly takes: readonly Signal[]; readonly contentType: string; make(options: EncoderOptions): Encoder }
  >
> = {
  json_points: {
    takes: ['metrics'],
    contentType: 'application/json',
    make: (options) => new JsonPointsEncoder(options),
  },
  value: { takes: ['metrics'], contentType: 'text/plain', make: (options) => new ValueEncoder(options) },
  json: { takes: ['logs'], contentType: 'application/json', make: (options) => new RecordEncoder(options, 'json') },
  text: { takes: ['logs'], contentType: 'text/plain', make: (options) => new RecordEncoder(options, 'text') },
  otlp_json: {
    takes: ['metrics', 'logs', 'traces'],
    contentType: 'application/json',
    make: (options) => new OtlpEncoder(options, 'json'),
  },
  otlp_proto: {
    takes: ['metrics', 'logs', 'traces'],
    contentType: 'application/x-protobuf',
    make: (options) => new OtlpEncoder(options, 'proto'),
  },
}

const AUTO: Readonly<Partial<Record<Signal, Form>>> = { metrics: 'json_points', logs: 'json', traces: 'otlp_json' }

/** Throws ConfigError where the encoding has no words for the signal. */
export function encoderOf(cfg: MqttExporterConfig, signal: Signal, id: string): Encoder {
  const form = cfg.encoding === 'auto' ? (AUTO[signal] ?? 'otlp_proto') : cfg.encoding
  const { takes, contentType, make } = FORMS[form]
  if (!takes.includes(signal))
    throw new ConfigError([
      {
        code: 'CONFIG_INVALID',
        path: `exporters.${id}.encoding`,
        what: `${form} is for ${takes.join(', ')}, and the exporter is in a pipeline of ${signal}`,
        fix: 'write auto, otlp_json or otlp_proto, or an exporter for each signal',
      },
    ])
  const type = cfg.contentType === '' ? contentType : cfg.contentType
  return make({
    topic: new TopicWriter(cfg.topic, signal, new Writer()),
    properties: staticProperties(type, Math.floor(cfg.messageExpiryMs / 1000), cfg.userProperties),
    traceContext: cfg.traceContext,
    maxMessageBytes: cfg.maxPacketBytes,
  })
}
