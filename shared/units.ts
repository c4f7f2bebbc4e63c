/** Durations, money and short texts: parsing what people write and printing what people read. */

const secondsPerUnit: Readonly<Record<string, number>> = { d: 86_400, h: 3_600, m: 60, s: 1 };

/**
 * Reads a duration such as `90m`, `1h30m`, `2d`, `45s` or Google's `3600s` as whole seconds.
 * Returns undefined for anything else, zero and a bare number included: a unit must be named.
 */
export function parseDurationSeconds(text: string): number | undefined {
  const match = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?$/.exec(text.trim());
  if (match === null) return undefined;
  const [, days, hours, minutes, seconds] = match;
  const total = [days, hours, minutes, seconds].reduce(
    (sum, part, i) => sum + Number(part ?? 0) * (secondsPerUnit['dhms'[i] ?? ''] ?? 0),
    0,
  );
  return total > 0 ? total : undefined;
}

/** Prints seconds for people: `45s`, `6m 12s`, `2h 5m`, `3d 4h`. Negative and fractional values are floored at 0. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}s`;
  if (whole < 3_600) return join(Math.floor(whole / 60), 'm', whole % 60, 's');
  if (whole < 86_400)
    return join(Math.floor(whole / 3_600), 'h', Math.floor((whole % 3_600) / 60), 'm');
  return join(Math.floor(whole / 86_400), 'd', Math.floor((whole % 86_400) / 3_600), 'h');
}

/** Prints seconds as they are typed, `2h5m` or `99h`, and never more of them: with hours no seconds are told. */
export function typedDuration(seconds: number): string {
  const [minutes, left] = [Math.floor(seconds / 60), Math.floor(seconds % 60)];
  const parts = minutes < 60 ? [0, minutes, left] : [Math.floor(minutes / 60), minutes % 60, 0];
  return parts.map((count, i) => (count === 0 ? '' : `${count}${'hms'[i] ?? ''}`)).join('') || '0s';
}

function join(major: number, majorUnit: string, minor: number, minorUnit: string): string {
  return minor === 0 ? `${major}${majorUnit}` : `${major}${majorUnit} ${minor}${minorUnit}`;
}

/** Prints how long ago something was, in its largest unit: `45s ago`, `28m ago`, `3h ago`. */
export function formatAge(seconds: number): string {
  const [largest = ''] = formatDuration(seconds).split(' ');
  return `${largest} ago`;
}

/** Between the thousands of a number with two decimals. */
const thousands = /\B(?=(?:\d{3})+\.)/g;

/**
 * Prints US dollars to the cent, `$1,250.00`; what is less than one and still costs is `<$0.01`. Not by Intl,
 * whose tables take 9 ms to load, a twelfth of the Action's start.
 */
export function formatUsd(usd: number): string {
  return usd > 0 && usd < 0.01 ? '<$0.01' : `$${usd.toFixed(2).replaceAll(thousands, ',')}`;
}

/** The first seven digits of a commit, as git and GitHub print it. */
export function shortSha(sha: string): string {
  return sha.slice(0, 7);
}

/** The seconds between two instants (ISO 8601 texts or dates). */
export function secondsBetween(from: string | Date, to: string | Date): number {
  return (new Date(to).getTime() - new Date(from).getTime()) / 1_000;
}

/**
 * The candidate nearest to what was typed (Levenshtein, case ignored), for "did you mean".
 * Returns undefined when nothing is near: more than two edits and more than 40 % of the longer word.
 */
export function nearest(typed: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(typed.toLowerCase(), candidate.toLowerCase());
    const limit = Math.max(2, Math.floor(0.4 * Math.max(typed.length, candidate.length)));
    if (distance <= limit && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  // Hostile input can be long; a word far longer than any of ours is never near.
  if (Math.abs(a.length - b.length) > 8) return Infinity;
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? Infinity;
}
