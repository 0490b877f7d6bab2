import type { CompiledSnapshot } from '../core/index.js';
import { printAroundReason } from './dto/evaluation.responses.js';
import type { Answer, BulkAnswer } from './evaluation.service.js';

/** An answer that many people get, as JSON around its reason. */
interface Printed {
  readonly variant: string | undefined;
  readonly reason: string;
  /** A client key is not told it. */
  readonly version: number | undefined;
  readonly isOn: boolean;
  readonly before: string;
  readonly after: string;
  /** Of both, as UTF-8. */
  readonly bytes: number;
}

/** JSON, and how many bytes it has as UTF-8. */
export interface PrintedText {
  readonly text: string;
  readonly bytes: number;
}

/** Nothing to escape, and nothing beyond ASCII. */
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
  print(snapshot: CompiledSnapshot, answer: Answer): PrintedText {
    const { before, after, bytes } = this.around(snapshot, answer);
    const { reason } = answer;
    // Put together, and counted without being read: it is read once, when it is sent.
    if (PLAIN.test(reason)) return { text: `${before}"${reason}"${after}`, bytes: bytes + reason.length + 2 };
    const quoted = JSON.stringify(reason);
    return { text: before + quoted + after, bytes: bytes + Buffer.byteLength(quoted) };
  }

  /**
   * @param snapshot which decided
   * @returns what `JSON.stringify(presentAnswers(environmentKey, answer))` does, where the environment is known
   */
  printAll(
    snapshot: CompiledSnapshot,
    environmentKey: string,
    { revision, answers }: BulkAnswer,
  ): PrintedText {
    let text = `{"environment_key":${JSON.stringify(environmentKey)},"revision":${String(revision ?? null)},"flags":[`;
    let bytes = Buffer.byteLength(text) + Math.max(0, answers.length - 1) + 2;
    for (let at = 0; at < answers.length; at += 1) {
      const printed = this.print(snapshot, answers[at] as Answer);
      text += at === 0 ? printed.text : `,${printed.text}`;
      bytes += printed.bytes;
    }
    return { text: `${text}]}`, bytes };
  }

  private around(snapshot: CompiledSnapshot, answer: Answer): Printed {
    const { decision } = answer;
    const { flagKey, variant, reason, version, isOn } = decision;
    const byFlag = this.of(snapshot);
    // A flag that exists nowhere may be called anything, and one that exists may be hidden from who asks.
    const isKept = decision.errorCode === undefined;
    const known = isKept ? byFlag.get(flagKey) : undefined;
    if (known)
      for (const printed of known)
        if (
          printed.variant === variant &&
          printed.reason === reason &&
          printed.version === version &&
          printed.isOn === isOn
        )
          return printed;
    const [before, after] = printAroundReason(answer);
    const bytes = Buffer.byteLength(before) + Buffer.byteLength(after);
    const printed = { variant, reason, version, isOn, before, after, bytes };
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
