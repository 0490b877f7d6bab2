import type { Block } from './pages.js';

/** Why the blocks of a page are not run by `commands.test.ts`. */
export interface Elsewhere {
  readonly page: string;
  /** What the block begins with. */
  readonly begins: string;
  /** The test that runs it instead, and names the page. */
  readonly by?: string;
  /** What keeps it from being run by a test. Its syntax, and the scripts, files and options it names, are still looked at. */
  readonly because?: string;
}

const INSTALLS = 'it installs this project; `scripts/fresh-start.mjs` does so from an empty folder';
const ACCOUNT =
  'it needs an account with that platform; `test/deploy/platforms.test.ts` does what its files say';

/** The blocks that are not run against a started service. */
export const ELSEWHERE: readonly Elsewhere[] = [
  { page: 'README.md', begins: 'npm ci && npm start', because: INSTALLS },
  { page: 'README.md', begins: 'npm test', because: 'it is what runs this test' },
  { page: 'CONTRIBUTING.md', begins: 'npm ci', because: INSTALLS },
  { page: 'examples/README.md', begins: 'npm ci', because: INSTALLS },
  {
    page: 'bench/load/README.md',
    begins: 'node bench/load/',
    because: 'it fetches autocannon, and takes its time',
  },
  {
    page: 'bench/load/README.md',
    begins: 'k6 run',
    because: 'k6 is no package of Node; you install it yourself',
  },
  { page: 'docs/reliability.md', begins: 'npm run test:chaos', because: 'it takes half an hour' },
  {
    page: 'docs/performance.md',
    begins: 'npm run bench',
    because: 'benchmarks take their time and an idle machine',
  },
  {
    page: 'docs/sdk.md',
    begins: 'npm pack',
    because: 'it installs into a project of yours; `test/sdk/packed.test.ts` does so',
  },
  {
    page: 'docs/sdk.md',
    begins: 'VEXIL_API_KEY=… npx vexil-codegen',
    because: 'it writes into a project of yours; `test/sdk/codegen.test.ts` does so',
  },
  { page: 'docs/backup.md', begins: 'pg_dump', by: 'test/deploy/backup.test.ts' },
  { page: 'docs/backup.md', begins: 'psql', by: 'test/deploy/backup.test.ts' },
  { page: 'docs/backup.md', begins: 'curl', by: 'test/deploy/backup.test.ts' },
  {
    page: 'docs/deployment.md',
    begins: 'export JWT_SECRET_KEY',
    because: 'it needs Docker and its registry',
  },
  { page: 'docs/deployment.md', begins: 'docker build', because: 'it needs Docker and a cluster' },
  { page: 'docs/deployment.md', begins: 'heroku create', because: ACCOUNT },
  { page: 'docs/deployment.md', begins: 'aws secretsmanager', because: ACCOUNT },
  { page: 'docs/deployment.md', begins: 'npm ci && npm run build', because: INSTALLS },
  {
    page: 'docs/deployment.md',
    begins: 'for port in',
    because: 'it sets up nginx of the machine; `test/deploy/nginx.test.ts` does so in a folder',
  },
];

export const elsewhere = ({ page, text }: Block): Elsewhere | undefined =>
  ELSEWHERE.find((entry) => entry.page === page && text.startsWith(entry.begins));
