import { describe, expect, it } from '@jest/globals';
import { fc } from '../properties.ts';
import {
  formatDuration,
  formatAge,
  formatUsd,
  nearest,
  parseDurationSeconds,
  secondsBetween,
  shortSha,
  typedDuration,
} from '../../shared/units.ts';

describe('parseDurationSeconds', () => {
  it.each([
    ['45s', 45],
    ['90m', 5_400],
    ['1h30m', 5_400],
    ['2d', 172_800],
    ['3600s', 3_600],
    [' 1d2h3m4s ', 93_784],
    ['0s', undefined],
    ['90', undefined],
    ['', undefined],
    ['1m1h', undefined],
    ['-1h', undefined],
    ['1.5h', undefined],
    ['1 h', undefined],
    ['9999999h', undefined],
  ])('reads %j as %j', (text, seconds) => {
    expect(parseDurationSeconds(text)).toBe(seconds);
  });
});

describe('printing', () => {
  it.each([
    [-1, '0s'],
    [45, '45s'],
    [59.6, '1m'],
    [372, '6m 12s'],
    [7_500, '2h 5m'],
    [273_600, '3d 4h'],
  ])('prints %d seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  it.each([
    [60, '1m'],
    [489 * 60, '8h9m'],
    [45, '45s'],
    [99 * 3_600, '99h'],
    [2 * 86_400 + 3_600 + 59, '49h'],
  ])('prints %d seconds for a command as %s, which is never longer', (seconds, text) => {
    expect(typedDuration(seconds)).toBe(text);
    expect(parseDurationSeconds(text)).toBeLessThanOrEqual(seconds);
  });

  it.each([
    [0, '$0.00'],
    [0.0012, '<$0.01'],
    [0.01, '$0.01'],
    [0.06, '$0.06'],
    [12.345, '$12.35'],
    [999.995, '$1,000.00'],
    [1_250, '$1,250.00'],
    [1_234_567.891, '$1,234,567.89'],
  ])('prints %d dollars as %s', (usd, text) => {
    expect(formatUsd(usd)).toBe(text);
  });

  it.each([
    [0, '0s ago'],
    [1_702, '28m ago'],
    [7_199, '1h ago'],
  ])('prints that %d seconds have passed as %s', (seconds, text) => {
    expect(formatAge(seconds)).toBe(text);
  });

  it('shortens a commit and measures time', () => {
    expect(shortSha('3f2c1ab'.padEnd(40, '0'))).toBe('3f2c1ab');
    expect(secondsBetween('2026-01-01T00:00:00Z', new Date('2026-01-01T00:01:30Z'))).toBe(90);
  });
});

describe('nearest', () => {
  it.each([
    ['mashine', 'machine'],
    ['GPU', 'gpu'],
    ['colour', undefined],
    ['x'.repeat(10_000), undefined],
  ])('%s → %s', (typed, word) => {
    expect(nearest(typed, ['gpu', 'machine', 'region'])).toBe(word);
  });

  it('finds a word itself', () => {
    const words = ['gpu', 'machine', 'region', 'timeout'];
    fc.assert(
      fc.property(fc.constantFrom(...words), (word) => {
        expect(nearest(word, words)).toBe(word);
      }),
    );
  });
});
