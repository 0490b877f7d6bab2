/**
 * What a test needs beside Node. A laptop without it skips those tests; VEXIL_REQUIRE_SERVICES=1, which CI sets, makes
 * its absence a failure.
 */
export function isThere(what: string, how: string, found: boolean): boolean {
  if (!found && process.env['VEXIL_REQUIRE_SERVICES'] === '1')
    throw new Error(`VEXIL_REQUIRE_SERVICES=1, but there is no ${what}: install it (Debian: ${how})`);
  return found;
}
