const DAY_MS = 86_400_000;
/** Before each month, in a year that is no leap year. */
const DAYS_BEFORE = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334] as const;
const DATE_LENGTH = 10;

/**
 * Reads RFC 3339: `2026-01-31T12:00:00Z`, with a fraction or an offset where there is one; a date alone is its midnight UTC.
 * A time without `Z` or an offset means something else in every place, and is none. Allocates nothing.
 * @returns epoch milliseconds, what is finer cut off; NaN when it is none
 */
export function readInstant(text: string): number {
  const date = readDate(text);
  if (text.length === DATE_LENGTH || Number.isNaN(date)) return date;
  if (!is(text, 10, 'Tt ') || !is(text, 13, ':') || !is(text, 16, ':')) return NaN;
  const hour = number(text, 11, 2, 23);
  const minute = number(text, 14, 2, 59);
  // 60: a leap second, which the epoch counts as the next minute's first.
  const second = number(text, 17, 2, 60);
  let at = 19;
  let fraction = 0;
  if (is(text, at, '.')) {
    const start = (at += 1);
    for (let worth = 100; isDigit(text, at); at += 1, worth /= 10) {
      if (worth >= 1) fraction += worth * number(text, at, 1, 9);
    }
    if (at === start) return NaN;
  }
  return date + ((hour * 60 + minute) * 60 + second) * 1_000 + fraction - readOffset(text, at);
}

function readDate(text: string): number {
  if (!is(text, 4, '-') || !is(text, 7, '-')) return NaN;
  const year = number(text, 0, 4, 9999);
  const month = number(text, 5, 2, 12);
  const day = number(text, 8, 2, 31);
  if (Number.isNaN(year + month + day) || month === 0 || day === 0) return NaN;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const leapDay = isLeap && month > 2 ? 1 : 0;
  const end = month === 12 ? 365 : (DAYS_BEFORE[month] as number) + (isLeap && month === 2 ? 1 : 0);
  const before = DAYS_BEFORE[month - 1] as number;
  if (day > end - before) return NaN;
  const past = year - 1;
  const leapDays = Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400);
  // 719 162 days from the first of January of year 1 to that of 1970.
  return (past * 365 + leapDays + before + leapDay + day - 1 - 719_162) * DAY_MS;
}

/** Milliseconds ahead of UTC. */
function readOffset(text: string, at: number): number {
  if (is(text, at, 'Zz')) return text.length === at + 1 ? 0 : NaN;
  if (!is(text, at, '+-') || !is(text, at + 3, ':') || text.length !== at + 6) return NaN;
  const minutes = number(text, at + 1, 2, 23) * 60 + number(text, at + 4, 2, 59);
  return (is(text, at, '-') ? -minutes : minutes) * 60_000;
}

function number(text: string, at: number, digits: number, max: number): number {
  let value = 0;
  for (let end = at + digits; at < end; at += 1) {
    if (!isDigit(text, at)) return NaN;
    value = value * 10 + text.charCodeAt(at) - 48;
  }
  return value <= max ? value : NaN;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

function is(text: string, at: number, characters: string): boolean {
  return at < text.length && characters.includes(text.charAt(at));
}
