import { Global, Module } from '@nestjs/common';
import { patterns } from './linear-patterns.js';

export { patterns, type LinearPatterns } from './linear-patterns.js';

/** Injection token of the `LinearPatterns` that everything in the service uses. */
export const PATTERN_ENGINE = Symbol('vexil:pattern-engine');

@Global()
@Module({ providers: [{ provide: PATTERN_ENGINE, useValue: patterns }], exports: [PATTERN_ENGINE] })
export class PatternsModule {}
