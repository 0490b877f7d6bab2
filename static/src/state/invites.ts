/** How long an invitation may be good: hours, and how one says it. The first is for who is asked beside one, the last for who is away. */
export const VALIDITIES: readonly (readonly [number, string])[] = [
  [24, '1 day'],
  [72, '3 days'],
  [168, '7 days'],
  [720, '30 days'],
];
export const USUAL_VALIDITY = 72;

/** What is sent to the person. The token stands behind the #, so no server is told it when the link is opened. */
export const linkOf = (path: string, origin: string): string => `${origin}${path}`;

/** The token behind the # of a link, whatever a mail program put around it; `undefined` when it is not all there. */
export const tokenIn = (fragment: string): string | undefined =>
  /vx_invite_[0-9a-f]{64}(?![0-9a-f])/.exec(fragment)?.[0];
