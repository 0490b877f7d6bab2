/**
 * What somebody may do may be different from a moment ago, and this instance knows of it by now: whoever keeps something open for
 * longer than a request asks again.
 */
export class AccessChanged {}
