/** What requests are sent with, and what happens when it is refused. Set by the session. */
export const credentials: { token: string | undefined; onRefused: () => void } = {
  token: undefined,
  onRefused: () => undefined,
};
