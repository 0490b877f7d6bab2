import { Notice } from '../widgets/small.js';

/** What a newer version wrote: shown as being there, and kept. */
export const Unreadable = () => (
  <Notice tone="warn">
    A newer version of Vexil wrote this, and this one cannot read it. It stays as it is.
  </Notice>
);
