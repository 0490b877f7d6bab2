import { boolean, define } from './setting.js';

/** Whether, and how far, the service also speaks as other systems do. */
export const COMPAT_SETTINGS = {
  compatEnabled: define({
    name: 'COMPAT_ENABLED',
    what: 'Whether the dialects of other systems are spoken, below `/compat` and `/api/v1`. What they tell without a credential follows `EVALUATE_ACCESS`.',
    unit: 'true or false',
    fallback: 'true',
    parse: boolean,
  }),
  compatEnvironment: define({
    name: 'COMPAT_ENVIRONMENT',
    what: 'The environment that the dialects without a word for environments speak of. A server or client key brings its own.',
    unit: 'key of an environment',
    fallback: 'production',
    parse: (text) => {
      if (!/^[a-z0-9][a-z0-9-]{0,49}$/.test(text))
        throw new Error(`must be the key of an environment, not '${text}'`);
      return text;
    },
  }),
  compatOpenWrites: define({
    name: 'COMPAT_OPEN_WRITES',
    what: 'Whether anybody may change flags through a dialect whose own system asked for no key. For trying it out; refused in production.',
    unit: 'true or false',
    fallback: 'false',
    parse: boolean,
  }),
} as const;
