import { Global, Injectable, Module } from '@nestjs/common';
import type { InputProblem } from '../errors/errors.js';

/** A failure, and to what it is the answer. */
export interface Failure {
  /** Of the request, without its query and still encoded. */
  readonly path: string;
  readonly status: number;
  /** Stable, machine-readable, snake_case. */
  readonly code: string;
  /** For people. */
  readonly detail: string;
  /** Every mistake in the input, where that is what is wrong. */
  readonly problems: readonly InputProblem[];
  /** What was thrown: a shape that knows it may say more. */
  readonly thrown: unknown;
}

/** How a protocol of others tells it. */
export interface ShapedFailure {
  readonly status: number;
  readonly body: string;
  /** In place of ours; `undefined` takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

export type FailureShape = (failure: Failure) => ShapedFailure;

/** How failures look where it is not for us to say: features that speak a protocol of others register it here, for their paths. */
@Injectable()
export class FailureShapes {
  private readonly shapes: { paths: RegExp; shape: FailureShape }[] = [];

  register(paths: RegExp, shape: FailureShape): void {
    this.shapes.push({ paths, shape });
  }

  /** @returns `undefined` where problem documents are right */
  of(path: string): FailureShape | undefined {
    return this.shapes.find(({ paths }) => paths.test(path))?.shape;
  }
}

@Global()
@Module({ providers: [FailureShapes], exports: [FailureShapes] })
export class FailureShapesModule {}
