// Every decoder there is, written out by hand: a rule names one.

import type { Decoder } from './decoder.ts'
import { json } from './json.ts'
import { jsonPoints } from './json-points.ts'
import { otlpDecoders } from './otlp.ts'
import { text } from './text.ts'
import { value } from './value.ts'

export const DECODERS: readonly Decoder[] = [jsonPoints, json, value, text, ...otlpDecoders]

export const findDecoder = (name: string): Decoder | undefined => DECODERS.find((decoder) => decoder.name === name)
