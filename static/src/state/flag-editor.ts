import { signal } from '@preact/signals';
import { readFlag, updateFlag, type Consent, type Flag } from '../api/flags.js';
import { latestChange } from '../api/audit.js';
import { ApiProblem } from '../api/problem.js';
import { changedFields, draftFrom, rebase, updateOf, type FlagDraft } from './flag-draft.js';
import { isOwn, missed, onActivity } from './live.js';
import { tabStorage } from './storage.js';

/** Somebody else saved the flag while it was being edited here. */
export interface Conflict {
  readonly theirs: Flag;
  readonly by: string;
}

interface Kept {
  readonly base: FlagDraft;
  readonly version: number;
  readonly draft: FlagDraft;
}

/** One flag in one environment while it is looked at and edited. */
export class FlagEditor {
  /** As it was read. */
  readonly flag = signal<Flag | undefined>(undefined);
  readonly draft = signal<FlagDraft | undefined>(undefined);
  readonly error = signal<unknown>(undefined);
  readonly conflict = signal<Conflict | undefined>(undefined);
  /** Who has just changed it, while nothing was being edited here. */
  readonly changedBy = signal<string | undefined>(undefined);
  readonly problem = signal<ApiProblem | undefined>(undefined);
  readonly isSaving = signal(false);

  constructor(
    readonly key: string,
    readonly environment: string,
  ) {}

  private get storageKey(): string {
    return `draft.${this.environment}.${this.key}`;
  }

  get base(): FlagDraft | undefined {
    return this.flag.value && draftFrom(this.flag.value);
  }

  get changes(): ReturnType<typeof changedFields> {
    return this.base && this.draft.value ? changedFields(this.base, this.draft.value) : [];
  }

  get isDirty(): boolean {
    return this.changes.length > 0;
  }

  async load(): Promise<void> {
    try {
      const flag = await readFlag(this.key, this.environment);
      this.error.value = undefined;
      this.flag.value = flag;
      const kept = tabStorage.read(this.storageKey) as Kept | undefined;
      // A draft that was left behind is laid over what the flag is now.
      this.draft.value = kept ? rebase(kept.base, kept.draft, draftFrom(flag)) : draftFrom(flag);
      if (kept && kept.version !== flag.version) await this.meet(flag, draftFrom(flag));
    } catch (error) {
      this.error.value = error;
    }
  }

  edit(change: Partial<FlagDraft>): void {
    if (!this.draft.value || !this.flag.value || !this.base) return;
    this.draft.value = { ...this.draft.value, ...change };
    this.problem.value = undefined;
    this.keep();
  }

  private keep(): void {
    const { value: flag } = this.flag;
    const { value: draft } = this.draft;
    tabStorage.write(
      this.storageKey,
      flag && draft && this.isDirty ? { base: draftFrom(flag), version: flag.version, draft } : undefined,
    );
  }

  discard(): void {
    this.draft.value = this.base;
    this.problem.value = undefined;
    this.keep();
  }

  /**
   * @param isTurnedOn whether it is turned on by the same change
   * @returns whether it was saved; what kept it from being saved is in `problem` or `conflict`
   */
  async save(consent: Consent, isTurnedOn = false): Promise<boolean> {
    const { value: flag } = this.flag;
    const { value: draft } = this.draft;
    if (!flag || !draft || !this.base) return false;
    this.isSaving.value = true;
    this.problem.value = undefined;
    try {
      const update = { ...updateOf(this.base, draft), ...(isTurnedOn ? { is_enabled: true } : {}) };
      const saved = await updateFlag(this.key, this.environment, update, flag.version, consent);
      this.flag.value = saved;
      this.draft.value = draftFrom(saved);
      this.conflict.value = undefined;
      this.keep();
      return true;
    } catch (error) {
      if (error instanceof ApiProblem && error.isStale) await this.catchUp();
      else this.problem.value = error instanceof ApiProblem ? error : undefined;
      return false;
    } finally {
      this.isSaving.value = false;
    }
  }

  /** Takes what the service answered to a change that was made beside the draft. */
  accept(flag: Flag): void {
    const mine = this.draft.value;
    const before = this.base;
    this.flag.value = flag;
    this.draft.value = before && mine ? rebase(before, mine, draftFrom(flag)) : draftFrom(flag);
    this.keep();
  }

  /** Goes on with what was edited here, on top of what somebody else saved. */
  keepMine(): void {
    const { value: conflict } = this.conflict;
    if (conflict) this.accept(conflict.theirs);
    this.conflict.value = undefined;
  }

  takeTheirs(): void {
    const { value: conflict } = this.conflict;
    if (!conflict) return;
    this.flag.value = conflict.theirs;
    this.draft.value = draftFrom(conflict.theirs);
    this.conflict.value = undefined;
    this.keep();
  }

  /** @returns stops following */
  follow(): () => void {
    return onActivity({
      onChange: (activity) => {
        if (activity.entity_type !== 'flag' || activity.entity_key !== this.key || isOwn(activity)) return;
        if (
          activity.environment_key !== null &&
          activity.environment_key !== this.environment &&
          !(this.environment in activity.revisions)
        )
          return;
        void this.catchUp(activity.actor.name);
      },
      onResync: () => void this.catchUp(),
    });
  }

  private async catchUp(by?: string): Promise<void> {
    const { value: flag } = this.flag;
    if (!flag) {
      await this.load();
      return;
    }
    try {
      const theirs = await readFlag(this.key, this.environment);
      if (theirs.version === this.flag.value?.version) return;
      await this.meet(theirs, draftFrom(flag), by);
    } catch (error) {
      if (!(error instanceof ApiProblem)) return;
      if (error.status === 404) this.error.value = error;
      else if (error.isOutage) missed();
    }
  }

  private async meet(theirs: Flag, before: FlagDraft, by?: string): Promise<void> {
    const who = by ?? (await latestChange('flag', this.key).catch(() => undefined))?.actor.name ?? 'Somebody';
    const mine = this.draft.value && changedFields(before, this.draft.value).length > 0;
    if (mine && changedFields(before, draftFrom(theirs)).length > 0)
      this.conflict.value = { theirs, by: who };
    else {
      this.accept(theirs);
      this.changedBy.value = who;
      setTimeout(() => (this.changedBy.value = undefined), 6_000);
    }
  }
}
