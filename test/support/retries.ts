import { jest } from '@jest/globals';

/**
 * `.ci/run` gives a red test another try on a machine that is much slower than ours, and prints why it was red: what needed
 * that is a defect to be found, of the test or of the service. Nobody else's run does.
 */
const retries = Number(process.env.VEXIL_TEST_RETRIES ?? 0);
if (retries > 0) jest.retryTimes(retries, { logErrorsBeforeRetry: true });
