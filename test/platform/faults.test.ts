import { expect, it } from '@jest/globals';
import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from 'typeorm';
import { DatabaseUnavailable, isDatabaseFault } from '../../src/platform/database/faults.js';
import { Invalid } from '../../src/platform/errors/errors.js';

const coded = (code: string, more: object = {}) => Object.assign(new Error('broken'), { code, ...more });
const asked = (driverError: Error) => new QueryFailedError('SELECT 1', [], driverError);

it.each<[string, unknown, boolean]>([
  ['a refused connection', coded('ECONNREFUSED'), true],
  ['a Unix socket that is not there', coded('ENOENT', { syscall: 'connect' }), true],
  ['a file that is not there', coded('ENOENT', { syscall: 'open' }), false],
  ['every address of a host refused', new AggregateError([coded('ECONNREFUSED'), coded('ETIMEDOUT')]), true],
  ['a server that shuts down', asked(coded('57P01')), true],
  ['a statement that took too long', asked(coded('57014')), true],
  ['a wrong statement', asked(coded('42601')), false],
  [
    'a wrong statement that quotes the driver',
    asked(Object.assign(new Error('Query read timeout'), { code: '22P02' })),
    false,
  ],
  ['an answer that did not come', new Error('Query read timeout'), true],
  ['a sentence with the words of the driver', new Error("Key 'Query read timeout' is too long"), false],
  ['a connection taken away in a transaction', new QueryRunnerAlreadyReleasedError(), true],
  ['the same, between two statements', new QueryRunnerProviderAlreadyReleasedError(), true],
  ['a step that failed for it', new Error('Step failed', { cause: coded('ECONNRESET') }), true],
  ['our own word for it', new DatabaseUnavailable(), true],
  ['our own word for another thing', new Invalid([{ path: 'key', message: 'timeout expired' }]), false],
  ['no error', undefined, false],
])('takes %s for what it is', (_, error, expected) => {
  expect(isDatabaseFault(error)).toBe(expected);
});
