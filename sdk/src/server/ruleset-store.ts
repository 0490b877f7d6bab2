import {
  adoptEqual,
  applyChange,
  changedFlags,
  type CompiledSnapshot,
  type Ruleset,
  type RulesetChange,
  rulesetReader,
} from '../core.js';
import { ValidationError } from '../errors.js';
import { patterns } from '../patterns.js';

/** What is decided by. */
export interface Held {
  readonly ruleset: Ruleset;
  readonly compiled: CompiledSnapshot;
  /** Names this state to the service; `undefined` when nobody knows its name. */
  readonly id: string | undefined;
}

/** What became another. */
export interface Swap {
  readonly revision: number;
  /** The keys of the flags that may answer otherwise than before; none of those that come first. */
  readonly flagsChanged: readonly string[];
}

/** Keeps the ruleset that is decided by, from one state to the next. What cannot be read leaves everything as it was. */
export class RulesetStore {
  private readonly read = rulesetReader({ patterns });
  private current: Held | undefined;

  constructor(private readonly environment: string) {}

  get held(): Held | undefined {
    return this.current;
  }

  /** @throws ValidationError when it is no ruleset of this environment that this version can read */
  replace(document: unknown, id: string | undefined): Swap {
    const before = this.current?.ruleset;
    const ruleset = before && isRuleset(document) ? adoptEqual(document, before) : document;
    return this.swap(ruleset, id);
  }

  /** @returns `undefined` when the change does not follow what is held */
  apply(change: RulesetChange, id: string): Swap | undefined {
    const ruleset = this.current && applyChange(this.current.ruleset, change);
    return ruleset && this.swap(ruleset, id);
  }

  private swap(ruleset: unknown, id: string | undefined): Swap {
    const result = this.read(ruleset);
    if (!result.ok) {
      const [first] = result.problems;
      const what = first ? `${first.path} ${first.message}`.trim() : 'it cannot be read';
      throw new ValidationError(`This is no ruleset that this version can read: ${what}`, result.problems);
    }
    const { compiled } = result;
    if (compiled.environmentKey !== this.environment) {
      const message = `The ruleset is of the environment '${compiled.environmentKey}', not '${this.environment}'`;
      throw new ValidationError(message, [{ path: 'environment_key', message }]);
    }
    const before = this.current?.compiled;
    this.current = { ruleset: ruleset as Ruleset, compiled, id };
    return { revision: compiled.revision, flagsChanged: before ? changedFlags(before, compiled) : [] };
  }
}

function isRuleset(document: unknown): document is Ruleset {
  const { flags, segments } = (document ?? {}) as Partial<Record<string, unknown>>;
  return Array.isArray(flags) && Array.isArray(segments);
}
