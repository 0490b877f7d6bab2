import type { Problem } from './model.js';

/** The problems of a part, told from the whole: `[0].key` under `variants` is `variants[0].key`. */
export function under(prefix: string, problems: readonly Problem[]): Problem[] {
  return problems.map(({ path, message }) => ({
    path: prefix === '' || path === '' || path.startsWith('[') ? prefix + path : `${prefix}.${path}`,
    message,
  }));
}
