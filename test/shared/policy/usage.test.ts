import { describe, expect, it } from '@jest/globals';
import { checkUsage, type Usage } from '../../../shared/policy/usage.ts';

const usage: Usage = {
  openRunsOfPull: 1,
  openRunsOfUser: 2,
  openRunsOfRepository: 3,
  monthUsd: 40,
};

describe('checkUsage', () => {
  it.each([
    [{}, 1e6, undefined],
    [{ maxRunsPerPull: 2 }, 0, undefined],
    [{ maxRunsPerPull: 1 }, 0, 'too_many_runs'],
    [{ maxRunsPerUser: 3 }, 0, undefined],
    [{ maxRunsPerUser: 2 }, 0, 'too_many_runs'],
    [{ maxRunsPerRepository: 4 }, 0, undefined],
    [{ maxRunsPerRepository: 3 }, 0, 'too_many_runs'],
    [{ maxUsdPerMonth: 50 }, 10, undefined],
    [{ maxUsdPerMonth: 50 }, 10.01, 'over_budget'],
    [{ maxUsdPerMonth: 40 }, 0, 'over_budget'],
    [{ maxUsdPerMonth: 39 }, 0, 'over_budget'],
  ])('%j, one more for %d', (limits, usd, reason) => {
    expect(checkUsage(limits, usage, usd)?.reason).toBe(reason);
  });

  it('says what is there and what may be', () => {
    expect(checkUsage({ maxRunsPerPull: 1 }, usage, 0)?.message).toBe(
      '1 run of this pull request has not ended, and 1 may run at once.',
    );
    expect(checkUsage({ maxRunsPerUser: 2 }, usage, 0)?.message).toBe(
      '2 runs of yours in this repository have not ended, and 2 may run at once.',
    );
    expect(checkUsage({ maxUsdPerMonth: 50 }, usage, 20)?.message).toBe(
      "This month's runs have cost or may yet cost $40.00 of $50.00, and this one may cost $20.00.",
    );
    expect(checkUsage({ maxUsdPerMonth: 40 }, { ...usage, outsideUsd: 1 }, 0)?.message).toBe(
      "This month's runs, triggers' builds and workflows have cost or may yet cost $40.00 of $40.00.",
    );
  });
});
