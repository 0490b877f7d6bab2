import { useLayoutEffect, useRef } from 'preact/hooks';
import { environments } from '../state/environments.js';
import { EnvironmentName } from './small.js';

/** The same thing in each environment. @param current none of them, where what is shown is the same in all */
export function EnvironmentTabs({
  current,
  to,
}: {
  current: string | undefined;
  to: (environment: string) => string;
}) {
  const nav = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    // Where there are more than fit, the one that is shown is to be seen.
    const here = nav.current?.querySelector<HTMLElement>('[aria-current]');
    if (nav.current && here)
      nav.current.scrollLeft = here.offsetLeft - (nav.current.clientWidth - here.offsetWidth) / 2;
  }, [current]);
  return (
    <nav class="tabs" aria-label="Environments" ref={nav}>
      {(environments.value ?? []).map(({ key, name, position, protected: isLocked }) => (
        <a key={key} href={to(key)} aria-current={key === current ? 'page' : undefined}>
          <EnvironmentName name={name} position={position} locked={isLocked} />
        </a>
      ))}
    </nav>
  );
}
