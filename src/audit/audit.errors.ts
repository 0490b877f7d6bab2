import { Conflict } from '../platform/errors/errors.js';

/** Nothing can be made of it that would take it back. */
export class ChangeNotRevertible extends Conflict {
  readonly code = 'change_not_revertible';

  constructor(position: number | undefined, why: string) {
    super(`${position === undefined ? 'This change' : `Change ${position}`} cannot be taken back: ${why}.`);
  }
}

/** Somebody has changed the same fields since; taking the older change back would undo theirs. */
export class ChangedSince extends Conflict {
  readonly code = 'changed_since';

  constructor(position: number, fields: readonly string[]) {
    super(
      `Change ${position} cannot be taken back any more: ${fields.join(', ')} ${fields.length === 1 ? 'was' : 'were'} changed again since. Take the later change back first, or make a new one.`,
    );
  }
}
