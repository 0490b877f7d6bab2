/**
 * Patterns on which a backtracking engine tries ever more ways to fail: exponentially many, or with the square of the length and
 * worse. Each with what to repeat and what to end with, so that it looks like a match until the end.
 */
export const CATASTROPHIC: readonly (readonly [pattern: string, repeated: string, end: string])[] = [
  // A repetition inside a repetition.
  ['^(a+)+b', 'a', ''],
  ['^(\\d+)+x', '7', ''],
  ['^(\\w*)*-$', 'w', '!'],
  ['^((x+)+y)+$', 'x', ''],
  ['^(([a-z]+)*)+[0-9]$', 'q', '.'],
  ['^(?:[^,]+,?)+;$', 'v', ''],
  ['^(-?\\d+\\.?)+e$', '1', ''],
  ['^(\\s*\\S+\\s*)+:$', 'k', ''],
  ['^(?:/[^/]*)*(?:/[^/]*)*#$', '/p', ''],
  ['^([^@]+)*@', 'm', ''],
  // Alternatives that match the same.
  ['^(?:a|b|ab)*c$', 'ab', ''],
  ['^(?:\\w|\\d)+$', '5', '%'],
  ['^(?:[a-f]|[d-z])*$', 'e', '0'],
  ['^(?:.|\\.)*end\\d$', '.', ''],
  ['^(?:a|a?)+$', 'a', '-'],
  ['^(?:\\\\.|[^"]|\\\\")*"$', '\\\\', ''],
  // Repetitions side by side that can share what they take.
  ['^\\d*\\d*\\d*\\d*z$', '3', ''],
  ['^[a-z]*[a-y]*[a-x]*0$', 'c', ''],
  ['\\w+\\w+\\w+=', 'n', ''],
  ['.*a.*a.*a.*a.*b', 'a', ''],
  ['\\s+\\s*;', ' ', 'x'],
  ['[ \\t]*[ \\t]*\\r', '\t', 'x'],
  // A beginning that is found again at every character.
  ['\\s+$', ' ', 'x'],
  ['\\d+px', '9', ''],
  ['[a-z0-9._-]+@[a-z0-9.-]+\\.[a-z]{2,}', 'u', ''],
  ['<.*<.*>', '<', ''],
  ['\\[.*\\[.*\\]\\(', '[', ''],
  ['["\'].*["\'].*!', '"', ''],
  // Counted repetitions, which a naive automaton unrolls.
  ['^(?:[a-z]{1,20}){1,20}9$', 'h', ''],
  ['(?:x?){30}x{30}y', 'x', ''],
  ['^(?:(?:ab?){1,8}){1,8}c', 'ab', ''],
];
