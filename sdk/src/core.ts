/** The one line that reaches the evaluation core: the same that the service runs, bundled into this package. */
export * from '../../src/core/index.js';
