import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { sentenceOf } from '../api/problem.js';
import { absoluteTime, minuteOf, relativeTime } from '../state/wording.js';
import { Button } from './button.js';
import { Icon, type IconName } from './icon.js';

const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 20_000);

/** How long ago; the exact moment is in its title and can be reached by keyboard. */
export function Time({ at }: { at: string }) {
  return (
    <time class="time" dateTime={at} title={absoluteTime(at)} tabIndex={0}>
      {relativeTime(at, Math.max(now.value, Date.now() - 20_000))}
    </time>
  );
}

/** Until when. How long that is from now would be said too roughly. */
export function Deadline({ at }: { at: string }) {
  return (
    <time dateTime={at} title={absoluteTime(at)}>
      {minuteOf(at)}
    </time>
  );
}

/** Copies a text; whether it just did. */
function useCopied(text: string): [isCopied: boolean, copy: () => void] {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return [isCopied, () => void navigator.clipboard.writeText(text).then(() => setCopied(true))];
}

/** Copies a text, and says that it did. */
export function Copy({ text, label }: { text: string; label: string }) {
  const [isCopied, copy] = useCopied(text);
  const said = isCopied ? 'Copied' : label;
  return (
    <button type="button" class="icon-button copy" aria-label={said} title={said} onClick={copy}>
      <Icon name={isCopied ? 'check' : 'copy'} size={14} />
    </button>
  );
}

/** The same, where to copy it is what a dialog is there for. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [isCopied, copy] = useCopied(text);
  return (
    <Button tone="primary" icon={isCopied ? 'check' : 'copy'} autoFocus onClick={copy}>
      {isCopied ? 'Copied' : label}
    </Button>
  );
}

/** Text to be pasted somewhere else. */
export function CodeBlock({ text, label }: { text: string; label: string }) {
  return (
    <div class="code-block">
      <pre tabIndex={0} role="group" aria-label={label}>
        <code>{text}</code>
      </pre>
      <Copy text={text} label={`Copy ${label}`} />
    </div>
  );
}

export function Badge({
  tone = 'plain',
  children,
}: {
  tone?: 'plain' | 'good' | 'bad' | 'warn' | 'accent';
  children: ComponentChildren;
}) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** What a thing's environment looks like everywhere: a dot of its own colour, its name, and a lock when it is protected. */
export function EnvironmentName({
  name,
  position,
  locked,
}: {
  name: string;
  position: number;
  locked: boolean;
}) {
  return (
    <span class="environment-name">
      <span class={`dot hue-${position % 6}`} aria-hidden="true" />
      <span>{name}</span>
      {locked && (
        <span title="Protected: only admins change it">
          <Icon name="lock" size={13} />
          <span class="hidden">protected</span>
        </span>
      )}
    </span>
  );
}

/** Something is to be known here. */
export function Notice({
  tone = 'info',
  icon,
  children,
  role,
  id,
}: {
  id?: string;
  tone?: 'info' | 'warn' | 'bad' | 'good';
  icon?: IconName;
  children: ComponentChildren;
  role?: 'alert' | 'status';
}) {
  return (
    <div class={`notice ${tone}`} role={role} id={id}>
      <Icon name={icon ?? (tone === 'info' ? 'info' : tone === 'good' ? 'check' : 'warning')} />
      <div>{children}</div>
    </div>
  );
}

/** Nothing is here yet: what could be, and how. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/**
 * It could not be read.
 * @param isWhole whether nothing else is on the screen, so that this is what it is called
 */
export function Failure({
  error,
  onRetry,
  isWhole,
}: {
  error: unknown;
  onRetry?: () => void;
  isWhole?: boolean;
}) {
  const title = 'This could not be loaded';
  return (
    <div class="empty" role="alert">
      {isWhole ? <h1>{title}</h1> : <h2>{title}</h2>}
      <p>{sentenceOf(error)}</p>
      {onRetry && (
        <p>
          <Button onClick={onRetry}>Try again</Button>
        </p>
      )}
    </div>
  );
}

/** Keeps the place of what is coming, so that nothing jumps when it is there. */
export function Skeleton({ rows, label = 'Loading' }: { rows: number; label?: string }) {
  return (
    <div class="skeleton" role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} class="skeleton-row" />
      ))}
    </div>
  );
}

export function Pager({
  skip,
  limit,
  total,
  onMove,
}: {
  skip: number;
  limit: number;
  total: number;
  onMove: (skip: number) => void;
}) {
  if (total <= limit && skip === 0) return null;
  return (
    <nav class="pager" aria-label="Pages">
      <span class="muted">
        {Math.min(skip + 1, total)}–{Math.min(skip + limit, total)} of {total}
      </span>
      <Button small icon="left" disabled={skip === 0} onClick={() => onMove(Math.max(0, skip - limit))}>
        Previous
      </Button>
      <Button small icon="right" disabled={skip + limit >= total} onClick={() => onMove(skip + limit)}>
        Next
      </Button>
    </nav>
  );
}

/** The head of a screen. */
export function PageHead({
  title,
  children,
  hint,
}: {
  title: ComponentChildren;
  hint?: ComponentChildren;
  children?: ComponentChildren;
}) {
  return (
    <div class="page-head">
      <div>
        <h1>{title}</h1>
        {hint && <p class="muted">{hint}</p>}
      </div>
      {children && <div class="page-actions">{children}</div>}
    </div>
  );
}
