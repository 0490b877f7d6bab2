import { useEffect, useState } from 'preact/hooks';
import { place, setQuery } from '../router.js';

/**
 * Whether something is open that an address can ask for, as links and the palette do: `?new=1`.
 * @returns it, and opens or closes it
 */
export function useAsked(name: string): [isOpen: boolean, open: (isOpen: boolean) => void] {
  const isAsked = place.value.query.has(name);
  const [isOpen, setOpen] = useState(isAsked);
  useEffect(() => {
    if (isAsked) setOpen(true);
  }, [isAsked]);
  return [
    isOpen,
    (next) => {
      setOpen(next);
      if (!next && place.value.query.has(name)) setQuery({ [name]: undefined });
    },
  ];
}
