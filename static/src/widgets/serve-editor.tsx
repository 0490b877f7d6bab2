import { useId } from 'preact/hooks';
import type { Variant } from '../api/flags.js';
import { evenly, newRollout, setShare, sharesOf, weightsOf, type ServeDraft } from '../state/rollout.js';
import { percent } from '../state/wording.js';
import { Button } from './button.js';
import { Field } from './field.js';
import { TypedInput } from './typed-input.js';

interface Props {
  readonly serve: ServeDraft;
  readonly variants: readonly Variant[];
  readonly isBoolean: boolean;
  readonly off: string | null;
  readonly label: string;
  readonly onChange: (serve: ServeDraft) => void;
}

type RolloutDraft = Extract<ServeDraft, { rollout: unknown }>['rollout'];

/** One variant for everyone, or a share of people each. Shares always sum to the whole. */
export function ServeEditor({ serve, variants, isBoolean, off, label, onChange }: Props) {
  const name = useId();
  const isRollout = 'rollout' in serve;
  return (
    <div class="stack serve">
      <fieldset class="choice">
        <legend class="hidden">{label}</legend>
        <label>
          <input
            type="radio"
            name={name}
            checked={!isRollout}
            onChange={() =>
              onChange({
                variant: variants.find(({ value }) => value === true)?.key ?? variants[0]?.key ?? '',
              })
            }
          />
          <span>One variant</span>
        </label>
        <label>
          <input
            type="radio"
            name={name}
            checked={isRollout}
            onChange={() => onChange(newRollout(variants, isBoolean))}
          />
          <span>Percentage rollout</span>
        </label>
      </fieldset>
      {'variant' in serve ? (
        <Field label={`${label}: variant`} hideLabel>
          <select
            value={serve.variant}
            onChange={(event) => onChange({ variant: event.currentTarget.value })}
          >
            {variants.map(({ key }) => (
              <option key={key} value={key}>
                {key}
              </option>
            ))}
          </select>
        </Field>
      ) : (
        <RolloutEditor
          rollout={serve.rollout}
          variants={variants}
          isBoolean={isBoolean}
          off={off}
          label={label}
          onChange={(rollout) => onChange({ rollout })}
        />
      )}
    </div>
  );
}

function RolloutEditor({
  rollout,
  variants,
  isBoolean,
  off,
  label,
  onChange,
}: {
  rollout: RolloutDraft;
  isBoolean: boolean;
  variants: readonly Variant[];
  off: string | null;
  label: string;
  onChange: (rollout: RolloutDraft) => void;
}) {
  const named = new Map(rollout.weights.map(({ variant, weight }) => [variant, weight]));
  const shares = sharesOf(variants.map(({ key }) => ({ variant: key, weight: named.get(key) ?? 0 })));
  const write = (next: typeof shares): void =>
    onChange({ ...rollout, weights: weightsOf(next).filter(({ weight }) => weight > 0) });
  // Of a flag that is on or off, those in the rollout get `on`; more is said only where more was said before.
  const isSplit = variants.length > 1 && !(isBoolean && rollout.weights.length === 1);
  return (
    <>
      <PercentRow
        label={`${label}: share of users in the rollout`}
        text="In the rollout"
        value={rollout.percentage}
        onChange={(percentage) => onChange({ ...rollout, percentage })}
      />
      {isSplit && (
        <div class="weights">
          <div class="weights-head">
            <span class="muted">Of those</span>
            <Button small tone="quiet" onClick={() => write(evenly(variants.map(({ key }) => key)))}>
              Split evenly
            </Button>
          </div>
          <ShareBar shares={shares} />
          {shares.map(({ variant, points }, index) => (
            <PercentRow
              key={variant}
              hue={index}
              label={`${label}: weight of ${variant}`}
              text={variant}
              value={points / 100}
              onChange={(weight) => write(setShare(shares, variant, weight * 100))}
            />
          ))}
        </div>
      )}
      {rollout.percentage < 100 && (
        <p class="hint">
          The other {percent(Math.round((100 - rollout.percentage) * 100) / 100)} get{' '}
          {off === null ? "the caller's default" : <code>{off}</code>}.
        </p>
      )}
      <details>
        <summary>
          Split users by <code>{rollout.bucket_by === '' ? '…' : rollout.bucket_by}</code>
        </summary>
        <div class="stack details-body">
          <Field
            label="Attribute"
            hint="Whoever has the same value gets the same. Another one, such as company_id, keeps whole companies together; changing it draws everyone anew."
          >
            <input
              type="text"
              class="mono"
              value={rollout.bucket_by}
              required
              maxLength={100}
              spellcheck={false}
              onInput={(event) => onChange({ ...rollout, bucket_by: event.currentTarget.value })}
            />
          </Field>
          {rollout.salt !== undefined && (
            <p class="hint">
              Drawn with the salt <code>{rollout.salt}</code> and hash version{' '}
              <code>{rollout.hash_version}</code>.
            </p>
          )}
        </div>
      </details>
    </>
  );
}

/** How the whole is shared, at a glance. The numbers stand below it. */
function ShareBar({ shares }: { shares: readonly { variant: string; points: number }[] }) {
  let from = 0;
  return (
    <svg class="share-bar" viewBox="0 0 10000 10" preserveAspectRatio="none" aria-hidden="true">
      {shares.map(({ variant, points }, index) => {
        const x = from;
        from += points;
        return <rect key={variant} class={`hue-${index % 6}`} x={x} y={0} width={points} height={10} />;
      })}
    </svg>
  );
}

function PercentRow({
  label,
  text,
  value,
  hue,
  onChange,
}: {
  label: string;
  text: string;
  value: number;
  hue?: number;
  onChange: (value: number) => void;
}) {
  const set = (raw: string): void => {
    const wanted = Number(raw);
    if (raw !== '' && Number.isFinite(wanted))
      onChange(Math.min(100, Math.max(0, Math.round(wanted * 100) / 100)));
  };
  return (
    <div class="percent-row">
      <span class="percent-name">
        {hue !== undefined && <span class={`dot hue-${hue % 6}`} aria-hidden="true" />}
        {text}
      </span>
      <input
        type="range"
        min={0}
        max={100}
        step={1}
        value={value}
        style={{ '--fill': `${value}%` }}
        aria-label={label}
        onInput={(event) => set(event.currentTarget.value)}
      />
      <span class="percent-number">
        <TypedInput
          type="number"
          min={0}
          max={100}
          step={0.01}
          value={value}
          aria-label={`${label}, in per cent`}
          onDone={set}
        />
        <span aria-hidden="true">%</span>
      </span>
    </div>
  );
}
