import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { IconButton } from './button.js';

interface Props {
  readonly title: ComponentChildren;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  readonly size?: 'small' | 'wide' | 'palette';
  /** Shown to screen readers only. */
  readonly hideTitle?: boolean;
}

/** Asks for one thing. The browser keeps focus in it, closes it with Escape, and gives focus back. */
export function Dialog({ title, onClose, children, size = 'small', hideTitle }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before the next paint: whoever types on after Escape must not type into nothing.
  useLayoutEffect(() => {
    const opener = document.activeElement;
    const { current: element } = dialog;
    element?.showModal();
    element?.querySelector<HTMLElement>('[autofocus]')?.focus();
    return () => {
      element?.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${size}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="dialog-body">
        <header class={hideTitle ? 'hidden' : 'dialog-head'}>
          <h2 id={id}>{title}</h2>
          {!hideTitle && <IconButton label="Close" icon="close" onClick={onClose} />}
        </header>
        {children}
      </div>
    </dialog>
  );
}
