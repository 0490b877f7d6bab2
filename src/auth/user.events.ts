/** An account was made, or its role or state changed, by this instance. The others hear of it by `NOTIFY`. */
export class UsersChanged {}

/** Whatever this instance remembered of accounts counts no more. */
export class AccountsForgotten {}
