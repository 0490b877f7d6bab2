/** What happens when the service says that it cannot do something now. Set by who watches its health. */
export const outage: { onSeen: () => void } = { onSeen: () => undefined };
