import type { Segment } from '../api/segments.js';
import { href } from '../router.js';
import { isAtLeast } from '../state/session.js';
import { Button } from '../widgets/button.js';

/** Where a segment is used; and its end, while it is not. */
export function UsedBy({ segment, onDelete }: { segment: Segment; onDelete: () => void }) {
  const environment = segment.environment_key;
  const users = [
    ...segment.used_by.flags.map((key) => ({ key, to: href(`/flags/${key}?env=${environment}`) })),
    ...segment.used_by.segments.map((key) => ({ key, to: href(`/segments/${key}?env=${environment}`) })),
  ];

  return (
    <section class="panel step">
      <div>
        <h2>Used by</h2>
        <p class="muted">
          {users.length === 0 ? 'Nothing: it can be deleted.' : 'While it is used it cannot be deleted.'}
        </p>
      </div>
      <div class="stack">
        {users.length > 0 && (
          <ul class="row">
            {users.map(({ key, to }) => (
              <li key={key}>
                <a class="mono" href={to}>
                  {key}
                </a>
              </li>
            ))}
          </ul>
        )}
        <div>
          <Button
            tone="danger"
            icon="trash"
            disabled={users.length > 0 || !isAtLeast('admin')}
            title={isAtLeast('admin') ? undefined : 'For admins'}
            onClick={onDelete}
          >
            Delete…
          </Button>
        </div>
      </div>
    </section>
  );
}
