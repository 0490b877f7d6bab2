import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { parse } from 'yaml';

/** How a platform starts the service, as its own file in this repository says. */
export interface Deployment {
  readonly platform: string;
  /** Run by a shell when it is a text. */
  readonly start: string | readonly string[];
  /** Runs before it, once for each release. */
  readonly release?: string;
  /** What the file sets; `REFERENCE` where the platform or a secret has the value. */
  readonly variables: Readonly<Record<string, string>>;
  /** From SIGTERM to SIGKILL. */
  readonly killSeconds: number;
  readonly probes: readonly string[];
}

/** A value that is not in the file, and must not be. */
export const REFERENCE = Symbol.for('reference').description!;

interface Named {
  readonly name: string;
  readonly value?: string | number;
  readonly valueFrom?: unknown;
}

const text = (file: string): string => readFileSync(file, 'utf8');
// Each reader says what it expects of its file.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
const yaml = (file: string): any => parse(text(file));
// eslint-disable-next-line @typescript-eslint/no-explicit-any
const json = (file: string): any => JSON.parse(text(file));

const variablesOf = (list: readonly Named[]): Record<string, string> =>
  Object.fromEntries(list.map(({ name, value }) => [name, value === undefined ? REFERENCE : String(value)]));

export function heroku(): Deployment {
  const processes = Object.fromEntries(
    text('Procfile')
      .trim()
      .split('\n')
      .map((line) => /^(\w+): (.*)$/.exec(line)!.slice(1) as [string, string]),
  );
  const set = /^heroku config:set (.*?[^\\])$/ms.exec(text('docs/deployment.md'))?.[1] ?? '';
  const variables = Object.fromEntries(
    [...set.matchAll(/(\w+)=("[^"]*"|\S+)/g)].map(([, name, value]) => [
      name,
      value!.startsWith('"$(') ? REFERENCE : value,
    ]),
  ) as Record<string, string>;
  return {
    platform: 'Heroku',
    start: processes['web']!,
    release: processes['release']!,
    // The add-ons set these two.
    variables: { ...variables, DATABASE_URL: REFERENCE, REDIS_URL: REFERENCE },
    killSeconds: 30,
    probes: [],
  };
}

export function render(): Deployment {
  const { services } = yaml('deploy/render/render.yaml') as { services: Record<string, unknown>[] };
  const web = services.find(({ type }) => type === 'web')!;
  const listed = (web['envVars'] as { key: string; value?: string | number }[]).map(({ key, value }) => ({
    name: key,
    ...(value === undefined ? {} : { value }),
  }));
  return {
    platform: 'Render',
    start: web['startCommand'] as string,
    release: web['preDeployCommand'] as string,
    variables: variablesOf(listed),
    killSeconds: web['maxShutdownDelaySeconds'] as number,
    probes: [web['healthCheckPath'] as string],
  };
}

export function railway(): Deployment {
  const { deploy } = json('deploy/railway/railway.json') as { deploy: Record<string, unknown> };
  const set = Object.entries(parseEnv(text('deploy/railway/variables.env')) as Record<string, string>);
  return {
    platform: 'Railway',
    start: deploy['startCommand'] as string,
    variables: Object.fromEntries(
      set.map(([name, value]) => [name, value.includes('${{') ? REFERENCE : value]),
    ),
    killSeconds: deploy['drainingSeconds'] as number,
    probes: [deploy['healthcheckPath'] as string],
  };
}

export function ecs(): Deployment {
  const { containerDefinitions } = json('deploy/ecs/task-definition.json') as {
    containerDefinitions: Record<string, unknown>[];
  };
  const [container] = containerDefinitions;
  const group = json('deploy/ecs/target-group.json') as { HealthCheckPath: string };
  const own = (container!['healthCheck'] as { command: string[] }).command.at(-1)!;
  return {
    platform: 'ECS',
    start: container!['command'] as string[],
    variables: {
      ...variablesOf(container!['environment'] as Named[]),
      ...variablesOf(container!['secrets'] as Named[]),
    },
    killSeconds: container!['stopTimeout'] as number,
    probes: [group.HealthCheckPath, /127\.0\.0\.1:8000([^']*)/.exec(own)![1]!],
  };
}

export function kubernetes(): Deployment {
  const pod = (yaml('deploy/kubernetes/deployment.yaml') as { spec: { template: { spec: Pod } } }).spec
    .template.spec;
  const [container] = pod.containers;
  const { data } = yaml('deploy/kubernetes/configmap.yaml') as { data: Record<string, string> };
  return {
    platform: 'Kubernetes',
    start: container!.args,
    variables: { ...data, ...variablesOf(container!.env) },
    killSeconds: pod.terminationGracePeriodSeconds,
    probes: [container!.startupProbe, container!.livenessProbe, container!.readinessProbe].map(
      ({ httpGet }) => httpGet.path,
    ),
  };
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly {
    readonly args: string[];
    readonly env: Named[];
    readonly startupProbe: Probe;
    readonly livenessProbe: Probe;
    readonly readinessProbe: Probe;
  }[];
}

export function compose(): Deployment {
  const { services } = yaml('docker-compose.yml') as {
    services: { vexil: { environment: Record<string, string>; stop_grace_period: string } };
  };
  const { environment, stop_grace_period: grace } = services.vexil;
  const image = text('Dockerfile');
  const command = /^CMD (\[.*\])$/m.exec(image)![1]!;
  const inImage = /^ENV ((?:.*\\\n)*.*)$/m.exec(image)![1]!;
  const set = Object.entries(environment).map(([name, value]) => {
    // ${NAME:-default}; ${NAME:?message} has none.
    const [, fallback] = /^\$\{\w+:-(.*)\}$/.exec(value) ?? [];
    return [name, fallback ?? (value.includes('${') ? REFERENCE : value)] as const;
  });
  return {
    platform: 'Compose',
    start: JSON.parse(command) as string[],
    variables: {
      ...Object.fromEntries([...inImage.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value])),
      ...Object.fromEntries(set),
      REDIS_URL: REFERENCE,
    },
    killSeconds: Number.parseInt(grace, 10),
    probes: [/http:\/\/127\.0\.0\.1:\$\{process\.env\.PORT\}([^`]*)`/.exec(image)![1]!],
  };
}

export const DEPLOYMENTS: readonly Deployment[] = [
  compose(),
  kubernetes(),
  railway(),
  render(),
  heroku(),
  ecs(),
];
