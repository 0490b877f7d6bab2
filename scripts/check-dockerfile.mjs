/**
 * Says what is wrong with a Dockerfile: what no engine would build, as the validator of Docker's own editor tools finds it, and by the rules
 * that ours keeps, each after its number in https://github.com/hadolint/hadolint#rules where it has one.
 * `node scripts/check-dockerfile.mjs [Dockerfile]`; exit 1 when anything is.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { root } from './build-if-old.mjs';
import { readDockerfile, stagesOf } from './dockerfile.mjs';

const SECRET = /(SECRET|PASSWORD|TOKEN|_KEY|DATABASE_URL|REDIS_URL)/;

/** @param {string} text @param {(path: string) => boolean} hasSource @returns {string[]} one line each */
function problemsOf(text, hasSource) {
  const all = readDockerfile(text);
  const stages = stagesOf(all);
  const last = stages.at(-1)?.steps ?? [];
  const of = (steps, keyword) => steps.filter((step) => step.keyword === keyword);
  const problems = [];
  const say = (step, what) => problems.push(`${step ? `line ${step.line}: ` : ''}${what}`);

  for (const [index, step] of of(all, 'FROM').entries()) {
    const [image, , name] = step.args;
    const known = stages.slice(0, index).some((stage) => stage.name === image);
    if (!known && !/[^/]:[^/]+$|@sha256:/.test(image)) say(step, `DL3006: ${image} has no tag`);
    if (/:latest$/.test(image)) say(step, `DL3007: ${image} is another image tomorrow`);
    if (index < stages.length - 1 && name === undefined) say(step, 'a stage without a name');
  }
  if (stages.length < 2) say(undefined, 'one stage: what builds would be shipped');

  const [user] = of(last, 'USER').slice(-1);
  if (!user || /^(root|0)(:|$)/.test(user.args[0])) say(user, 'DL3002: it would run as root');
  else if (!/^\d+(:\d+)?$/.test(user.args[0]))
    say(user, 'Kubernetes can only tell a number from root (runAsNonRoot)');
  if (of(last, 'HEALTHCHECK').length !== 1) say(undefined, 'DL3057: one HEALTHCHECK is wanted');
  if (of(last, 'CMD').length !== 1) say(undefined, 'DL4003: one CMD is wanted');
  for (const step of [...of(last, 'CMD'), ...of(last, 'ENTRYPOINT'), ...of(last, 'HEALTHCHECK')])
    if (!Array.isArray(step.args))
      say(step, `DL3025: ${step.keyword} in shell form: a shell would get the SIGTERM`);

  for (const step of all) {
    if (step.keyword === 'ADD') say(step, 'DL3020: COPY copies, ADD does more');
    if (step.keyword === 'RUN' && /\b(sudo|curl|wget)\b/.test(step.args))
      say(step, `DL3004: not from a build: ${step.args}`);
    if (step.keyword === 'RUN' && /\bnpm (i|install)\b/.test(step.args))
      say(step, 'npm ci keeps to the lock file, npm install does not');
    if ((step.keyword === 'ENV' || step.keyword === 'ARG') && SECRET.test(step.args))
      say(step, 'a secret stays in the image for whoever has it');
    if (step.keyword === 'WORKDIR' && !step.args[0].startsWith('/')) say(step, 'DL3000: from where?');
    if (step.keyword !== 'COPY') continue;
    const sources = step.args.slice(0, -1);
    const { from } = step.flags;
    if (from !== undefined && !stages.some(({ name }) => name === from))
      say(step, `DL3022: no stage ${from}`);
    for (const source of from === undefined ? sources : [])
      if (!hasSource(source)) say(step, `there is no ${source}, or .dockerignore leaves it out`);
  }
  return problems;
}

const file = process.argv[2] ?? join(root, 'Dockerfile');
const sent = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
const isSent = (path) =>
  sent.some((line) => line.startsWith('!') && `${path}/`.startsWith(`${line.slice(1)}/`));
const text = readFileSync(file, 'utf8');
const mistakes = validate(text, {}).map(({ range, message }) => `line ${range.start.line + 1}: ${message}`);
// What is no Dockerfile keeps no rules.
const problems =
  mistakes.length > 0 ? mistakes : problemsOf(text, (path) => existsSync(join(root, path)) && isSent(path));
for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 ? 1 : 0);
