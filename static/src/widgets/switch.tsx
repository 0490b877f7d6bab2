interface Props {
  readonly label: string;
  readonly isOn: boolean;
  readonly onToggle: () => void;
  readonly disabled?: boolean | undefined;
  /** Id of the text that says why it cannot be used. */
  readonly describedBy?: string | undefined;
  readonly busy?: boolean | undefined;
}

/** On or off, at once. Where it cannot be used it stays reachable, so that the reason can be read. */
export function Switch({ label, isOn, onToggle, disabled, describedBy, busy }: Props) {
  return (
    <button
      type="button"
      role="switch"
      class="switch"
      aria-checked={isOn}
      aria-label={label}
      aria-disabled={disabled ? 'true' : undefined}
      aria-describedby={disabled ? describedBy : undefined}
      aria-busy={busy ? 'true' : undefined}
      onClick={() => {
        if (!disabled) onToggle();
      }}
    >
      <span class="knob" />
    </button>
  );
}
