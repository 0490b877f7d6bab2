import type { ArgumentMetadata } from '@nestjs/common';
import type { InputProblem } from '../errors/errors.js';
import './input-sentences.js';

type Schema = NonNullable<ArgumentMetadata['schema']>;

/** Where input came from: a body, a query, or the parameter of the path that is called `data`. */
type Source = Pick<ArgumentMetadata, 'type' | 'data'>;

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly code?: string;
  readonly keys?: readonly string[];
  /** Of a union: what each of its shapes found. */
  readonly errors?: readonly (readonly Issue[])[];
}

const PROBLEMS_SHOWN = 50;

/** What `schema` makes of `input`, or what is wrong with it: each mistake with its place. */
export async function readInput(
  schema: Schema,
  input: unknown,
  source: Source,
): Promise<{ readonly value: unknown } | { readonly problems: readonly InputProblem[] }> {
  const { issues, ...result } = await schema['~standard'].validate(input);
  if (!issues) return result as { value: unknown };
  const word = source.type === 'query' ? 'parameter' : 'field';
  const problems = issues.flatMap((issue) => toProblems(asSent(issue, input, source), word));
  return { problems: problems.slice(0, PROBLEMS_SHOWN) };
}

/** What is wrong with a parameter has its name, and one that came twice is no list to the person who sent it. */
function asSent(issue: Issue, input: unknown, { type, data }: Source): Issue {
  const path = issue.path ?? [];
  if (data !== undefined) return { ...issue, path: [data, ...path] };
  const isRepeated =
    type === 'query' &&
    typeof path[0] === 'string' &&
    Array.isArray((input as Record<string, unknown>)[path[0]]);
  return isRepeated ? { path, message: 'is given more than once' } : issue;
}

function toProblems(issue: Issue, word: 'field' | 'parameter'): InputProblem[] {
  const shape = meantShape(issue);
  if (shape) return shape.flatMap((found) => toProblems(found, word));
  const path = placeOf(issue);
  if (issue.code === 'unrecognized_keys') {
    return (issue.keys ?? []).map((key) => ({
      path: path === '' ? key || '""' : `${path}.${key}`,
      message: `is not a known ${word}`,
    }));
  }
  return [{ path: path === '' ? 'request' : path, message: issue.message }];
}

/** What the one shape of a union found that got further into the input than all others: it was meant. */
function meantShape({ code, errors, path = [] }: Issue): Issue[] | undefined {
  if (code !== 'invalid_union' || !errors) return undefined;
  const depths = errors.map((issues) => Math.max(0, ...issues.map((issue) => issue.path?.length ?? 0)));
  const deepest = Math.max(0, ...depths);
  if (depths.filter((depth) => depth === deepest).length !== 1) return undefined;
  const found = errors[depths.indexOf(deepest)] ?? [];
  return found.map((issue) => ({ ...issue, path: [...path, ...(issue.path ?? [])] }));
}

/** `variants[0].value` */
function placeOf(issue: Issue): string {
  return (issue.path ?? [])
    .map((segment) => (typeof segment === 'object' ? segment.key : segment))
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('');
}
