// What happens to a router between a broker and a sink: real processes, message by message.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mosquittoMissing } from '../support/mosquitto.ts'
import { MQTT_SCENARIOS, runMqttScenario } from './mqtt-scenarios.ts'
import { faultSeed } from './verdict.ts'

const SHORT_MS = 3_000
const skip = mosquittoMissing()

describe('MQTT faults', { concurrency: 3 }, () => {
  for (const scenario of MQTT_SCENARIOS.filter(({ longOnly }) => longOnly !== true))
    test(scenario.name, { skip }, async () => {
      const { failure } = await runMqttScenario(scenario, faultSeed(), SHORT_MS)
      if (failure !== undefined) assert.fail(failure)
    })
})
