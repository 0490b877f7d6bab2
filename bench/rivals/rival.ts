import type { Side } from '../harness.js';
import type { Person, Row } from '../workloads.js';

/** A rival with all workloads loaded, asked by the public method its users call. */
export interface Rival {
  readonly name: string;
  /** Asks one flag at a time, another flag and another of the people each time. */
  asking(row: Row): Side;
  /** Asks all flags of `BULK`, another of the people each time; one operation is all of them. */
  askingAll(): Side;
  /** To check, before anything is timed, that a row means the same here. */
  isOn(row: Row, key: string, person: Person): Promise<boolean>;
  /** How many of the flags of `BULK` are on. */
  countOn(person: Person): Promise<number>;
  close(): Promise<void>;
}
