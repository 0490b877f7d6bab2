/** The token in `Authorization: Bearer …`; `undefined` when there is none of that kind. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer +([^\s]+) *$/i.exec(header ?? '')?.[1];
}
