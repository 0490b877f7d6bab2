export function Logo() {
  return (
    <span class="logo">
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="8" class="logo-field" />
        <path d="M9.5 6.5v19" class="logo-pole" />
        <path d="M9.5 8h14l-4 5.25 4 5.25h-14z" class="logo-cloth" />
      </svg>
      <span class="logo-word">Vexil</span>
    </span>
  );
}
