const DECISIONS = /^\/(evaluate|ofrep)(\/|$)/;

/** Paths that programs ask, by the million: their answers carry no more than they must. */
export const isDecision = (path: string): boolean => DECISIONS.test(path);
