/** As much of JSON Schema as the project's own schemas use. */

interface Schema {
  readonly title?: string
  readonly oneOf?: readonly Schema[]
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

const known = new Set(['$schema', 'title', 'oneOf', 'type', 'const', 'enum', 'minimum', 'properties', 'required'])

/** Why a value is not what a schema says; undefined if it is. */
export function whyInvalid(schema: Schema, value: unknown): string | undefined {
  for (const keyword of Object.keys(schema)) if (!known.has(keyword)) throw new Error(`keyword ${keyword} is unknown`)
  if (schema.oneOf !== undefined) {
    const fitting = schema.oneOf.filter(each => whyInvalid(each, value) === undefined)
    return fitting.length === 1 ? undefined : `fits ${fitting.length} of its forms`
  }
  if ('const' in schema && value !== schema.const) return `is not ${schema.const}`
  if (schema.enum !== undefined && !schema.enum.includes(value)) return 'is none of its values'
  if (schema.type !== undefined && ![schema.type].flat().some(type => hasType(value, type))) return 'has another type'
  if (schema.minimum !== undefined && (value as number) < schema.minimum) return `is below ${schema.minimum}`
  const fields = value as Readonly<Record<string, unknown>>
  const missing = schema.required?.find(name => !(name in fields))
  if (missing !== undefined) return `lacks ${missing}`
  for (const [name, own] of Object.entries(schema.properties ?? {})) {
    const why = name in fields ? whyInvalid(own, fields[name]) : undefined
    if (why !== undefined) return `${name} ${why}`
  }
  return undefined
}

function hasType(value: unknown, type: string): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'null') return value === null
  return typeof value === type && value !== null && !Array.isArray(value)
}
