// @ts-check
/** Writes "3 minutes ago" into every <time>; the whole time stays in its title. */

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
/** @type {readonly (readonly [seconds: number, unit: Intl.RelativeTimeFormatUnit])[]} */
const units = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
];
const maxRelativeSeconds = 30 * 86_400;

/** @param {ParentNode} root */
export function showRelativeTimes(root) {
  for (const element of root.querySelectorAll('time')) {
    const text = relativeText(Date.parse(element.dateTime), Date.now());
    if (text !== undefined && element.textContent !== text) element.textContent = text;
  }
}

/**
 * Undefined where the date says more, as on GitHub.
 * @param {number} at
 * @param {number} now
 */
function relativeText(at, now) {
  const seconds = Math.round((now - at) / 1_000);
  if (Number.isNaN(seconds) || Math.abs(seconds) > maxRelativeSeconds) return undefined;
  // Clocks differ a little; nothing on this page lies in the future.
  if (seconds < 10) return 'now';
  for (const [size, unit] of units) {
    if (seconds >= size) return relative.format(-Math.floor(seconds / size), unit);
  }
  return relative.format(-seconds, 'second');
}
