import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';
import { cannotWrite } from '../state/health.js';
import { Icon, type IconName } from './icon.js';

interface Look {
  readonly tone?: 'primary' | 'danger' | 'quiet' | undefined;
  readonly icon?: IconName | undefined;
  readonly small?: boolean | undefined;
}

const classOf = ({ tone, small }: Look): string =>
  ['button', tone ?? '', small ? 'small' : ''].filter(Boolean).join(' ');

type Props = Look &
  Omit<ButtonHTMLAttributes, 'icon' | 'type' | 'disabled'> & {
    children?: ComponentChildren;
    busy?: boolean;
    /** It changes something: it cannot be pressed while nothing can be changed. */
    writes?: boolean;
    disabled?: boolean;
    type?: 'button' | 'submit';
  };

/** A button. While it is busy it says so and cannot be pressed again. */
export function Button({
  tone,
  icon,
  small,
  busy,
  writes,
  disabled,
  children,
  type = 'button',
  ...rest
}: Props) {
  const isKept = (writes ?? false) && cannotWrite.value !== undefined;
  return (
    <button
      type={type}
      class={classOf({ tone, small })}
      disabled={(disabled ?? false) || (busy ?? false) || isKept}
      aria-describedby={isKept ? 'cannot-write' : undefined}
      aria-busy={busy ? 'true' : undefined}
      {...rest}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** An icon that can be pressed. The label is what it is called. */
export function IconButton({
  label,
  icon,
  ...rest
}: { label: string; icon: IconName; disabled?: boolean } & Omit<
  ButtonHTMLAttributes,
  'icon' | 'label' | 'type' | 'disabled'
>) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}

/** Looks like a button and leads somewhere. */
export function LinkButton({
  tone,
  icon,
  small,
  to,
  children,
}: Look & { to: string; children: ComponentChildren }) {
  return (
    <a class={classOf({ tone, small })} href={to}>
      {icon && <Icon name={icon} />}
      {children}
    </a>
  );
}
