import { environments } from '../state/environments.js';
import { EnvironmentName } from './small.js';

/** The same screen in each environment. */
export function EnvironmentTabs({ current, to }: { current: string; to: (environment: string) => string }) {
  return (
    <nav class="tabs" aria-label="Environments">
      {(environments.value ?? []).map((each) => (
        <a key={each.key} href={to(each.key)} aria-current={each.key === current ? 'page' : undefined}>
          <EnvironmentName name={each.name} position={each.position} locked={each.protected} />
        </a>
      ))}
    </nav>
  );
}
