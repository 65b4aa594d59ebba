// kill -9 of a router between numbered senders and a sink: real processes, span by span.

import { KILLS } from './scenarios.ts'
import { testScenarios } from './short-form.ts'

testScenarios('kills', KILLS, 2)
