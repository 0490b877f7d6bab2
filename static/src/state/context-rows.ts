/** What kind of value a row of a context holds. Types are strict: `12` and `"12"` are different. */
export const ROW_KINDS = {
  text: 'Text',
  number: 'Number',
  boolean: 'Yes or no',
  list: 'List',
} as const;
export type RowKind = keyof typeof ROW_KINDS;

/** One attribute of a context while it is filled in. */
export interface ContextRow {
  readonly name: string;
  readonly kind: RowKind;
  /** As it was typed; of a list, the words with commas between them. */
  readonly text: string;
}

/** The rows of a context; `undefined` when it holds something that no row can hold, such as an object in an object. */
export function rowsOf(context: Readonly<Record<string, unknown>>): ContextRow[] | undefined {
  const rows: ContextRow[] = [];
  for (const [name, value] of Object.entries(context)) {
    if (typeof value === 'string') rows.push({ name, kind: 'text', text: value });
    else if (typeof value === 'number' || typeof value === 'boolean')
      rows.push({ name, kind: typeof value as RowKind, text: String(value) });
    else if (isList(value)) rows.push({ name, kind: 'list', text: value.join(', ') });
    else return undefined;
  }
  return rows;
}

// A word with a comma in it would be two when it is read again.
const isList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string' && !each.includes(','));

/** The context that the rows say, as JSON. What has no name, or no number yet, is not in it. */
export function contextText(rows: readonly ContextRow[]): string {
  const entries = rows.flatMap(({ name, kind, text }): [string, unknown][] => {
    if (name === '') return [];
    switch (kind) {
      case 'text':
        return [[name, text]];
      case 'number':
        return text.trim() === '' || !Number.isFinite(Number(text)) ? [] : [[name, Number(text)]];
      case 'boolean':
        return [[name, text === 'true']];
      case 'list':
        return [
          [
            name,
            text
              .split(',')
              .map((word) => word.trim())
              .filter((word) => word !== ''),
          ],
        ];
    }
  });
  return JSON.stringify(Object.fromEntries(entries), null, 2);
}
