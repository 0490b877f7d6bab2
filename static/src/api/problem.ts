/** One mistake in what was sent, with its place: `rules[0].serve`. */
export interface InputProblem {
  readonly path: string;
  readonly message: string;
}

interface ProblemDocument {
  readonly code?: string;
  readonly detail?: string;
  readonly errors?: readonly InputProblem[];
}

/** The service answered, and not with what was asked for. `status` 0: it did not answer at all. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';

  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly errors: readonly InputProblem[] = [],
    /** Seconds after which trying again makes sense. */
    readonly retryAfterSeconds?: number,
  ) {
    super(detail);
  }

  /** The editor's copy is older than what is there. */
  get isStale(): boolean {
    return this.status === 412;
  }

  /** Nothing was reached, or nothing that could answer: trying again may help. */
  get isOutage(): boolean {
    return this.status === 0 || this.status === 503 || this.status === 502 || this.status === 504;
  }
}

export const noAnswer = (): ApiProblem =>
  new ApiProblem(0, 'no_answer', 'Vexil does not answer. Check your connection; nothing was changed.');

/** Reads a problem document (RFC 9457), or whatever a proxy put in its place. */
export function problemOf(response: Response, body: unknown): ApiProblem {
  const document = (typeof body === 'object' && body !== null ? body : {}) as ProblemDocument;
  const retryAfter = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return new ApiProblem(
    response.status,
    document.code ?? 'unknown',
    document.detail ?? `The answer was ${response.status}, without a reason.`,
    document.errors ?? [],
    ...(Number.isNaN(retryAfter) ? [] : [retryAfter]),
  );
}

/** What to tell a person of anything that went wrong. */
export function sentenceOf(error: unknown): string {
  if (error instanceof ApiProblem) {
    if (error.status === 429 && error.retryAfterSeconds !== undefined)
      return `${error.message} Try again in ${Math.ceil(error.retryAfterSeconds)} seconds.`;
    return error.message;
  }
  return error instanceof Error ? error.message : String(error);
}
