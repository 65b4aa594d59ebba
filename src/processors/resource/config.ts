import { actionConfig } from '../../attributes/action-config.ts'
import { type Infer, list, object } from '../../config/schema.ts'

export const config = object(
  {
    attributes: list('attributes', actionConfig, {
      required: true,
      doc: 'What to do to the attributes of every resource, in this order; later actions see what earlier ones did.',
    }),
  },
  {
    check(value, problem) {
      if (value.attributes.length === 0)
        problem(
          'attributes',
          'there is no action',
          'write at least one, as in - { key: plant.id, value: north, action: upsert }',
        )
    },
  },
)

export type ResourceConfig = Infer<typeof config>
