import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { SETTINGS } from '../../src/platform/config/settings.js';

// Each test says what it expects of a file.
/* eslint-disable @typescript-eslint/no-explicit-any */

const FOLDER = 'deploy/kubernetes';
const all = (file: string): any[] =>
  parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8')).map((document) => document.toJS());
const kustomization = all('kustomization.yaml')[0];
const objects = (kustomization.resources as string[]).flatMap(all);
const of = (kind: string, name = 'vexil') =>
  objects.find((object) => object.kind === kind && object.metadata.name === name);
const deployment = of('Deployment');
const pod = deployment.spec.template.spec;
const [container] = pod.containers;

describe('what kustomization.yaml applies', () => {
  it('is everything that is asked for, each once', () => {
    expect(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort()).toEqual([
      'ConfigMap/vexil',
      'Deployment/vexil',
      'HorizontalPodAutoscaler/vexil',
      'Ingress/vexil',
      'PodDisruptionBudget/vexil',
      'Service/vexil',
      'Service/vexil-nowhere',
    ]);
  });

  it('speaks of the same pods everywhere', () => {
    const { labels } = deployment.spec.template.metadata;
    expect(deployment.spec.selector.matchLabels).toEqual(labels);
    expect(of('Service').spec.selector).toEqual(labels);
    expect(of('PodDisruptionBudget').spec.selector.matchLabels).toEqual(labels);
    expect(of('HorizontalPodAutoscaler').spec.scaleTargetRef.name).toBe(deployment.metadata.name);
    expect(pod.topologySpreadConstraints[0].labelSelector.matchLabels).toEqual(labels);
    const [{ http }] = of('Ingress').spec.rules;
    const names = objects.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name);
    for (const { backend } of http.paths) expect(names).toContain(backend.service.name);
  });

  it('names the image of this version', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(container.image).toBe(`vexil:${version}`);
    expect(kustomization.images).toEqual([{ name: 'vexil', newName: expect.any(String), newTag: version }]);
  });
});

describe('a pod', () => {
  it('has no rights, as the image has none', () => {
    const [, user] = /^USER (\d+):/m.exec(readFileSync('Dockerfile', 'utf8'))!;
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: Number(user),
      fsGroup: Number(user),
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
  });

  it('may write where the service does, and only there', () => {
    const data = of('ConfigMap').data[SETTINGS.dataDir.name];
    const mounts = container.volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath);
    expect(mounts).toEqual([data, '/tmp']);
    for (const { name } of container.volumeMounts)
      expect(pod.volumes.find((volume: any) => volume.name === name).emptyDir.sizeLimit).toBeDefined();
  });

  it('is asked at the port that it listens on', () => {
    expect(String(container.ports[0].containerPort)).toBe(of('ConfigMap').data[SETTINGS.port.name]);
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
      expect(container[probe].httpGet.port).toBe(container.ports[0].name);
    expect(of('Service').spec.ports[0].targetPort).toBe(container.ports[0].name);
  });

  it('is out of the endpoints before it stops answering', () => {
    const { periodSeconds, failureThreshold, timeoutSeconds } = container.readinessProbe;
    const grace = Number(of('ConfigMap').data[SETTINGS.shutdownGraceSeconds.name]);
    expect(grace).toBeGreaterThan(Number(periodSeconds) * failureThreshold + Number(timeoutSeconds));
  });

  it('has its memory bounded, and its objects below that', () => {
    const limit = /^(\d+)Gi$/.exec(container.resources.limits.memory)!;
    const heap = /--max-old-space-size=(\d+)/.exec(container.args.join(' '))!;
    expect(Number(heap[1])).toBeLessThan(Number(limit[1]) * 1024 * 0.75);
    expect(container.resources.requests).toEqual({ cpu: expect.any(String), memory: expect.any(String) });
  });

  it('gets its secrets by reference, and they are documented', () => {
    const [example] = all('secret.example.yaml');
    for (const { name, valueFrom } of container.env) {
      expect(valueFrom.secretKeyRef).toEqual({ name: example.metadata.name, key: name });
      expect(Object.keys(example.stringData)).toContain(name);
    }
    expect(readFileSync(join(FOLDER, 'kustomization.yaml'), 'utf8')).not.toMatch(/- secret/);
  });
});

describe('many pods', () => {
  it('stay two at least, and fit the connections of Postgres', () => {
    const { minReplicas, maxReplicas } = of('HorizontalPodAutoscaler').spec;
    expect(minReplicas).toBeGreaterThanOrEqual(2);
    // The one that is added while they are replaced, and what Postgres keeps for its superusers.
    expect(
      (Number(maxReplicas) + 1) * (Number(SETTINGS.databasePoolSize.fallback) + 3) + 3,
    ).toBeLessThanOrEqual(100);
    expect(of('PodDisruptionBudget').spec.maxUnavailable).toBe(1);
    expect(deployment.spec.replicas).toBeUndefined();
    expect(deployment.spec.strategy.rollingUpdate.maxUnavailable).toBe(0);
  });

  it('keep streams open behind the ingress', () => {
    const { annotations } = of('Ingress').metadata;
    expect(annotations['nginx.ingress.kubernetes.io/proxy-buffering']).toBe('off');
    expect(Number(annotations['nginx.ingress.kubernetes.io/proxy-read-timeout'])).toBeGreaterThan(
      Number(SETTINGS.streamHeartbeatSeconds.fallback) * 2,
    );
  });

  it('does not show /metrics to the world', () => {
    const [{ http }] = of('Ingress').spec.rules;
    const [first] = http.paths;
    // /metrics/ is answered as well.
    expect(first).toMatchObject({ path: '/metrics', pathType: 'Prefix' });
    expect(of('Service', first.backend.service.name).spec.selector).toBeUndefined();
  });
});

describe('docker-compose.yml', () => {
  const { services, volumes } = parse(readFileSync('docker-compose.yml', 'utf8'));

  it('has stores of the versions that are promised', () => {
    expect(Number(/^postgres:(\d+)/.exec(services.postgres.image)![1])).toBeGreaterThanOrEqual(15);
    expect(Number(/^redis:(\d+)/.exec(services.redis.image)![1])).toBeGreaterThanOrEqual(7);
    // `resolve` in upstream-compose.conf.
    expect(Number(/^nginx:1\.(\d+)/.exec(services.nginx.image)![1])).toBeGreaterThanOrEqual(28);
    expect(Object.keys(volumes)).toEqual(['postgres']);
  });

  it('has several instances, without rights and reached only through nginx', () => {
    expect(services.vexil).toMatchObject({ scale: 2, read_only: true, cap_drop: ['ALL'] });
    expect(services.vexil.ports).toBeUndefined();
    expect(services.nginx.ports).toEqual(['${VEXIL_PORT:-8000}:8080']);
    for (const mount of services.nginx.volumes as string[])
      expect(readFileSync(mount.split(':')[0]!, 'utf8')).not.toBe('');
  });

  it('waits for what each needs, and each says when it is well', () => {
    expect(Object.keys(services.vexil.depends_on)).toEqual(['postgres', 'redis']);
    for (const name of ['postgres', 'redis']) expect(services[name].healthcheck.test[0]).toBe('CMD');
  });
});
