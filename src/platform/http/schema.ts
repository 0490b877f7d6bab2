import { z } from 'zod';

/** What a schema in this file, and every `dto/` schema, is for: it checks, it converts, and it becomes OpenAPI. */

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S;
export type CamelKeys<T> = { [K in keyof T as Camel<K & string>]: T[K] };

/** `{user_id: 1}` → `{userId: 1}`: the names of the object itself, not of what is inside it. */
export function camelKeys<T extends object>(value: T): CamelKeys<T> {
  const entries = Object.entries(value).map(([key, item]) => [
    key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    item as unknown,
  ]);
  return Object.fromEntries(entries) as CamelKeys<T>;
}

/** Postgres keeps neither NUL nor half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

export const NOT_STORABLE = 'must not contain NUL or unpaired surrogates';

/** Text that is kept: no NUL, well-formed Unicode. Lengths count code points. */
export function storedText(min: number, max: number) {
  return z.string().min(min).max(max).refine(isStorable, NOT_STORABLE);
}

/** A name that people read: trimmed, not blank. */
export function title(max: number) {
  return z.string().trim().min(1, 'must not be blank').max(max).refine(isStorable, NOT_STORABLE);
}

/** Why a change is made; kept with it in the audit log. */
export const changeReason = storedText(1, 500).optional().meta({
  description: 'Why, in your own words. Kept in the audit log; environments can require it of people.',
  example: 'Ramp up after a quiet week',
});

/** What a person names to show that they mean it. */
export const confirmation = storedText(1, 254).optional().meta({
  description:
    'The key of what is changed, typed by a person. Needed where a protected environment confirms changes; checked wherever it is given.',
  example: 'new-checkout',
});

/** Which change to take back. */
export const revertRequest = z
  .strictObject({
    position: z.int().min(1).meta({ description: 'Of the audit entry of the change.', example: 42 }),
    reason: changeReason,
    confirm: confirmation,
  })
  .meta({ id: 'RevertRequest', example: { position: 42, reason: 'It broke checkout' } });
export type RevertRequest = z.output<typeof revertRequest>;

/** A number in a query string. */
export function queryInteger(min: number, max: number, fallback: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .default(fallback)
    .meta({ override: { type: 'integer', minimum: min, maximum: max, default: fallback } });
}

/** `?tag=a&tag=b`, or `?tag=a`. */
export const several = (most: number, length: number) =>
  z
    .union([storedText(1, length).transform((one) => [one]), z.array(storedText(1, length)).max(most)])
    .meta({ override: { type: 'array', items: { type: 'string', maxLength: length }, maxItems: most } });

/** Any JSON value that Postgres keeps unchanged. */
export const storedJson = z
  .json()
  .refine(isStorableJson, NOT_STORABLE)
  .meta({ override: { description: 'Any JSON value.' } });

function isStorableJson(value: unknown): boolean {
  if (typeof value === 'string') return isStorable(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, item]) => isStorable(key) && isStorableJson(item));
}

/** Any JSON value in an answer. */
export const anyJson = z.unknown().meta({ description: 'Any JSON value.' });

/** A moment in an answer: RFC 3339, UTC. */
export const timestamp = z.iso.datetime().meta({ example: '2026-11-21T09:30:00.000Z' });
