/** Reads a Dockerfile as far as ours goes: continued lines, comments, JSON and shell forms, `--flags`. No variables. */

/**
 * @param {string} text
 * @returns {{ line: number, keyword: string, flags: Record<string, string>, args: string[] | string }[]} in the order of the
 * file; `args` is a list for the JSON form and for COPY, FROM and their like, the text of a shell form, and of ENV
 */
export function readDockerfile(text) {
  const instructions = [];
  let [pending, began] = ['', 0];
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*#/.test(line) || (pending === '' && line.trim() === '')) continue;
    if (pending === '') began = index + 1;
    pending += `${line.replace(/\\$/, '')} `;
    if (line.endsWith('\\')) continue;
    instructions.push(instruction(pending.trim(), began));
    pending = '';
  }
  return instructions;
}

const WORDS = new Set(['FROM', 'COPY', 'ADD', 'WORKDIR', 'USER', 'EXPOSE', 'VOLUME', 'STOPSIGNAL']);

function instruction(text, line) {
  const [, keyword = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  const flags = {};
  let args = rest;
  for (let found; (found = /^--([a-z-]+)=(\S+)\s+/.exec(args)); args = args.slice(found[0].length))
    flags[found[1]] = found[2];
  const name = keyword.toUpperCase();
  const healthcheck = name === 'HEALTHCHECK' ? args.replace(/^CMD\s+/, '') : args;
  return { line, keyword: name, flags, args: argsOf(name, healthcheck) };
}

function argsOf(name, text) {
  if (text.startsWith('[')) return JSON.parse(text);
  return WORDS.has(name) ? text.split(/\s+/) : text;
}

/**
 * The stages of a Dockerfile.
 * @param {ReturnType<typeof readDockerfile>} instructions
 * @returns {{ name: string, base: string, steps: ReturnType<typeof readDockerfile> }[]}
 */
export function stagesOf(instructions) {
  const stages = [];
  for (const each of instructions) {
    if (each.keyword === 'FROM') {
      const [base, , name = String(stages.length)] = each.args;
      stages.push({ name, base, steps: [] });
    } else stages.at(-1)?.steps.push(each);
  }
  return stages;
}
