/** An API key was made, changed or revoked by this instance. The others hear of it by `NOTIFY`. */
export class ApiKeysChanged {}
