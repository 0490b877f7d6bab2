import type { Setting } from './setting.js';
import { CONCERNS } from './settings.js';

/** docs/configuration.md: a table of settings for each concern. */
export function configurationPage(): string {
  const sections = Object.entries(CONCERNS).flatMap(([title, settings]) => [
    `## ${title}`,
    '',
    '| Name | Meaning | Unit | Default | 0 or empty means | Secret |',
    '|---|---|---|---|---|---|',
    ...Object.values(settings).map(row),
    '',
  ]);
  return [INTRODUCTION, ...sections].join('\n');
}

const INTRODUCTION = `# Configuration

<!-- Printed from src/platform/config by \`npm run docs:configuration\`. Not edited by hand. -->

Settings are environment variables. Outside production a \`.env\` file in the working directory is read too, and the
environment comes first; production reads no file. They are checked together when the service starts: one that is wrong
stops it, with every mistake listed. **–** in the column “0 or empty” means that neither has a meaning of its own there.
`;

function row({ name, what, unit, fallback, zero, isSecret = false }: Setting<unknown>): string {
  const cells = [
    `\`${name}\``,
    what,
    unit,
    fallback === '' ? 'none' : `\`${fallback}\``,
    zero ?? '–',
    isSecret ? 'yes' : 'no',
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
