import { isOn, printAroundReason } from './dto/evaluation.responses.js';
import type { CompiledSnapshot } from '../core/index.js';
import type { Answer } from './evaluation.service.js';

/** An answer that many people get, as JSON around its reason. */
interface Printed {
  readonly variant: string | undefined;
  readonly reason: string;
  readonly isOn: boolean;
  readonly before: string;
  readonly after: string;
}

const PLAIN = /^[\w .,:;%()'/-]*$/;

/**
 * Prints answers as JSON. Whoever gets the same variant of a flag for the same kind of reason gets the same text but for
 * the reason, and that text is printed once.
 */
export class PrintedAnswers {
  private readonly bySnapshot = new WeakMap<CompiledSnapshot, Map<string, Printed[]>>();

  /**
   * @param snapshot which decided
   * @returns what `JSON.stringify(presentAnswer(answer))` does
   */
  print(snapshot: CompiledSnapshot, answer: Answer): string {
    const { before, after } = this.around(snapshot, answer);
    const { reason } = answer;
    // Most reasons have nothing to escape.
    return before + (PLAIN.test(reason) ? `"${reason}"` : JSON.stringify(reason)) + after;
  }

  private around(snapshot: CompiledSnapshot, answer: Answer): Pick<Printed, 'before' | 'after'> {
    const { decision } = answer;
    const { flagKey, variant, reason } = decision;
    const on = isOn(decision);
    const byFlag = this.of(snapshot);
    // A flag that exists nowhere may be called anything, and one that exists may be hidden from who asks.
    const isKept = decision.errorCode === undefined;
    const known = isKept ? byFlag.get(flagKey) : undefined;
    if (known)
      for (const printed of known)
        if (printed.variant === variant && printed.reason === reason && printed.isOn === on) return printed;
    const [before, after] = printAroundReason(answer);
    const printed = { variant, reason, isOn: on, before, after };
    if (known) known.push(printed);
    else if (isKept) byFlag.set(flagKey, [printed]);
    return printed;
  }

  private of(snapshot: CompiledSnapshot): Map<string, Printed[]> {
    let byFlag = this.bySnapshot.get(snapshot);
    if (!byFlag) this.bySnapshot.set(snapshot, (byFlag = new Map<string, Printed[]>()));
    return byFlag;
  }
}
