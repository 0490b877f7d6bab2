import type { Failure, ShapedFailure } from '../platform/http/failure-shapes.js';
import { failureJson, type FailureCode } from './ofrep-text.js';

/** Where failures are told in OFREP's way. */
export const OFREP_PATHS = /^\/ofrep(\/|$)/;
const OF_ONE_FLAG = /^\/ofrep\/v1\/evaluate\/flags\/([^/]+)\/?$/;
const PROBLEMS_TOLD = 5;

/** Tells any failure as OFREP does. What is wrong with a request is 400 there, whether it can be read or not. */
export function ofrepFailure({ path, status, detail, problems }: Failure): ShapedFailure {
  const told =
    problems.length === 0
      ? detail
      : problems
          .slice(0, PROBLEMS_TOLD)
          .map((problem) => `${problem.path}: ${problem.message}`)
          .join('; ');
  return {
    status: status === 422 ? 400 : status,
    body: failureJson(flagKeyIn(path), codeOf(status, problems), told),
  };
}

function codeOf(status: number, problems: Failure['problems']): FailureCode {
  if (problems.some(({ path }) => /^context\b/.test(path))) return 'INVALID_CONTEXT';
  return [400, 413, 415, 422].includes(status) ? 'PARSE_ERROR' : 'GENERAL';
}

function flagKeyIn(path: string): string | undefined {
  const key = OF_ONE_FLAG.exec(path)?.[1];
  try {
    return key === undefined ? undefined : decodeURIComponent(key);
  } catch {
    return key;
  }
}
