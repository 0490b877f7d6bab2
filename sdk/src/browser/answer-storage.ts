/** Keeps the last answers between visits, so that a page which is opened again, or offline, begins with them. */
import { stableJson } from '../stable-json.js';
import type { Context } from '../types.js';
import type { Answer, Answers } from './answers.js';

/** What is needed of `localStorage`. */
export interface KeyValueStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const FORM = 1;

/**
 * The answers for one context: those for the last one that was asked for. Of the context only a digest is kept. A storage that is full,
 * forbidden or broken is as if it were empty.
 */
export class AnswerStorage {
  private readonly key: string;

  /** @param owner tells clients of one page apart: where they ask, and with what key */
  constructor(
    private readonly storage: KeyValueStorage | undefined,
    owner: string,
  ) {
    this.key = `vexil.${digest(owner)}`;
  }

  load(context: Context): Answers | undefined {
    try {
      const text = this.storage?.getItem(this.key) ?? null;
      if (text === null) return undefined;
      const { form, who, flags } = JSON.parse(text) as Readonly<Record<string, unknown>>;
      if (form !== FORM || who !== digest(stableJson(context)) || !Array.isArray(flags)) return undefined;
      return new Map(flags as [string, Answer][]);
    } catch {
      return undefined;
    }
  }

  save(context: Context, answers: Answers): void {
    try {
      const who = digest(stableJson(context));
      this.storage?.setItem(this.key, JSON.stringify({ form: FORM, who, flags: [...answers] }));
    } catch {
      // Half of it must not be left: what was there is older than what could not be kept.
      this.remove();
    }
  }

  private remove(): void {
    try {
      this.storage?.removeItem(this.key);
    } catch {
      // Forbidden, as saving was.
    }
  }
}

/** The page's own; `undefined` where there is none, or where it may not be used. */
export function pageStorage(): KeyValueStorage | undefined {
  try {
    const page = globalThis as { readonly document?: unknown; readonly localStorage?: KeyValueStorage };
    return page.document === undefined ? undefined : page.localStorage;
  } catch {
    return undefined;
  }
}

/** 53 bits, to tell texts apart: two rounds of 32 bits with different multipliers. */
function digest(text: string): string {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36);
}
