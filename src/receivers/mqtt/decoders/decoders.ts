// Every decoder there is, written out by hand: a rule names one.

import { auto } from './auto.ts'
import { cloudevents } from './cloudevents.ts'
import { cognite } from './cognite.ts'
import type { Decoder } from './decoder.ts'
import { homeAssistant } from './home-assistant.ts'
import { influxLine } from './influx-line.ts'
import { json } from './json.ts'
import { jsonPoints } from './json-points.ts'
import { kepware } from './kepware.ts'
import { neuron } from './neuron.ts'
import { azureIotOperations, opcuaJson } from './opcua.ts'
import { otlpDecoders } from './otlp.ts'
import { samples } from './samples.ts'
import { sitewise } from './sitewise.ts'
import { sparkplugB } from './sparkplug-b.ts'
import { status } from './status.ts'
import { tasmota } from './tasmota.ts'
import { text } from './text.ts'
import { thingsboard } from './thingsboard.ts'
import { umh } from './umh.ts'
import { value } from './value.ts'
import { zigbee2mqtt } from './zigbee2mqtt.ts'

export const DECODERS: readonly Decoder[] = [
  auto,
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
  opcuaJson,
  azureIotOperations,
  tasmota,
  zigbee2mqtt,
  homeAssistant,
  cloudevents,
  influxLine,
  status,
  sparkplugB,
  ...otlpDecoders,
]

export const findDecoder = (name: string): Decoder | undefined => DECODERS.find((decoder) => decoder.name === name)
