import { copyJson, MAX_JSON_DEPTH } from './json.js';
import type { JsonValue, Problem } from './model.js';
import { under } from './problems.js';

/**
 * Reads the fields of one JSON object. Whatever is missing or of the wrong type is noted as a problem and read as something
 * harmless, so that one pass finds all problems.
 */
export class Fields {
  readonly isObject: boolean;
  readonly #input: object;

  constructor(
    input: unknown,
    private readonly path: string,
    readonly problems: Problem[],
  ) {
    this.isObject = typeof input === 'object' && input !== null && !Array.isArray(input);
    this.#input = this.isObject ? (input as object) : {};
    if (!this.isObject) this.problem('', 'must be an object');
  }

  problem(name: string, message: string): void {
    this.problems.push(...under(this.path, [{ path: name, message }]));
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#input, name);
  }

  get(name: string): unknown {
    return this.has(name) ? (this.#input as Record<string, unknown>)[name] : undefined;
  }

  text(name: string): string {
    const value = this.get(name);
    return typeof value === 'string' ? value : this.#wrong(name, 'must be a string', '');
  }

  name(name: string): string {
    const value = this.get(name);
    return typeof value === 'string' && value !== ''
      ? value
      : this.#wrong(name, 'must be a text, not empty', '');
  }

  /** A name that many have in common. */
  word(name: string): string {
    return internalized(this.name(name));
  }

  truth(name: string): boolean {
    const value = this.get(name);
    return typeof value === 'boolean' ? value : this.#wrong(name, 'must be true or false', false);
  }

  count(name: string): number {
    const value = this.get(name);
    return Number.isSafeInteger(value) && (value as number) >= 0
      ? (value as number) + 0 // never −0
      : this.#wrong(name, 'must be a whole number, 0 or more', 0);
  }

  list(name: string): readonly unknown[] {
    const value = this.get(name);
    return Array.isArray(value) ? value : this.#wrong(name, 'must be a list', []);
  }

  json(name: string): JsonValue {
    const value = copyJson(this.get(name));
    if (value !== undefined) return value;
    return this.#wrong(name, `must be a JSON value, nested at most ${MAX_JSON_DEPTH} deep`, null);
  }

  /** A field that may be absent: `instead` when it is. */
  optional<Value>(name: string, read: () => Value, instead: Value): Value {
    return this.get(name) === undefined ? instead : read();
  }

  /** A list of texts, none of them empty. */
  names(name: string): string[] {
    const names: string[] = [];
    for (const [index, item] of this.list(name).entries()) {
      if (typeof item === 'string' && item !== '') names.push(item);
      else this.problem(`${name}[${index}]`, 'must be a text, not empty');
    }
    return names;
  }

  /** Each item of a list, with its path. */
  each<Value>(name: string, read: (item: unknown, path: string) => Value): Value[] {
    return this.list(name).map((item, index) => read(item, this.at(`${name}[${index}]`)));
  }

  /** The path of a field, from the whole. */
  at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  /** Where an unknown field could change the meaning of the known ones it must not be passed over. */
  only(...names: readonly string[]): void {
    for (const name of Object.keys(this.#input)) {
      if (!names.includes(name)) this.problem(name, 'is not a field that is known here');
    }
  }

  oneOf<const Word extends string>(name: string, words: readonly [Word, ...Word[]]): Word {
    const value = this.get(name);
    return (
      words.find((word) => word === value) ??
      this.#wrong(name, `must be one of ${words.join(', ')}`, words[0])
    );
  }

  #wrong<Value>(name: string, message: string, instead: Value): Value {
    if (this.isObject) this.problem(name, message);
    return instead;
  }
}

/**
 * The engine's own copy of a text: all equal ones are one string in memory, and it finds a property by it, or sees that two
 * differ, without reading them. JSON.parse makes each text anew.
 */
export function internalized(text: string): string {
  return Object.keys({ [text]: 0 })[0] as string;
}
