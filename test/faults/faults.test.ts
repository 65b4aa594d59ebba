// What happens to a router between numbered senders and a moody sink: real processes, span by span.

import { LOSSES, OPERATIONS, SINK_MOODS } from './scenarios.ts'
import { testScenarios } from './short-form.ts'

testScenarios('faults', [...SINK_MOODS, ...OPERATIONS, ...LOSSES], 3)
