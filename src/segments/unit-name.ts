import { TARGETING_KEY } from '../core/index.js';

/** What the unit is called at the HTTP edge; inside, and in OpenFeature, it is `TARGETING_KEY`. */
export const USER_ID = 'user_id';

export const attributeFromEdge = (name: string): string => (name === USER_ID ? TARGETING_KEY : name);
export const attributeAtEdge = (name: string): string => (name === TARGETING_KEY ? USER_ID : name);
