// Every decoder there is, written out by hand: a rule names one.

import { cognite } from './cognite.ts'
import type { Decoder } from './decoder.ts'
import { json } from './json.ts'
import { jsonPoints } from './json-points.ts'
import { kepware } from './kepware.ts'
import { neuron } from './neuron.ts'
import { otlpDecoders } from './otlp.ts'
import { samples } from './samples.ts'
import { sitewise } from './sitewise.ts'
import { text } from './text.ts'
import { thingsboard } from './thingsboard.ts'
import { umh } from './umh.ts'
import { value } from './value.ts'

export const DECODERS: readonly Decoder[] = [
  jsonPoints,
  json,
  value,
  text,
  thingsboard,
  umh,
  samples,
  kepware,
  neuron,
  sitewise,
  cognite,
  ...otlpDecoders,
]

export const findDecoder = (name: string): Decoder | undefined => DECODERS.find((decoder) => decoder.name === name)
