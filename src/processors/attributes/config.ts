import { actionConfig } from '../../attributes/action-config.ts'
import { matchConfig } from '../../attributes/match-config.ts'
import { type Infer, list, object, section } from '../../config/schema.ts'

export const config = object(
  {
    include: section('include', matchConfig, {
      optional: 'none',
      doc: 'Only what matches is changed. Without it, everything is.',
    }),
    exclude: section('exclude', matchConfig, {
      optional: 'none',
      doc: 'What matches is left as it is, also where include matches.',
    }),
    actions: list('actions', actionConfig, {
      required: true,
      doc: 'What to do to the attributes of each span, log record or data point, in this order; later actions see what earlier ones did.',
    }),
  },
  {
    check(value, problem) {
      if (value.actions.length === 0)
        problem(
          'actions',
          'there is no action',
          'write at least one, as in - { key: plant.line, value: "3", action: insert }',
        )
    },
  },
)

export type AttributesConfig = Infer<typeof config>
