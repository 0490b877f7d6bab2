/** The engine that runs the patterns of `matches`: the one that the service has, so that both find the same. */
export { patterns } from '../../src/platform/patterns/linear-patterns.js';
