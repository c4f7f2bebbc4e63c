import { describe, expect, it } from '@jest/globals';
import { missingLaunchers } from '../../app/launchers.ts';
import { defaultSettings } from '../../shared/config/project-settings.ts';

const launcherServiceAccount = 'launcher@demo-project.iam.gserviceaccount.com';
const without = defaultSettings('demo-project', ['us-central1']);
const named = { ...without, launcherServiceAccount };

describe('missingLaunchers', () => {
  it.each([
    { name: 'one repository with one', repositories: { 1: named }, kind: undefined },
    { name: 'one without', repositories: { 1: without }, kind: 'warning' },
    { name: 'two with', repositories: { 1: named, 2: named }, kind: undefined },
    { name: 'two, one without', repositories: { 1: named, 2: without }, kind: 'refusal' },
    { name: 'none at all', repositories: {}, kind: undefined },
  ])('$name: $kind', ({ repositories, kind }) => {
    const entries = Object.entries(repositories).map(([id, one]) => [Number(id), one] as const);
    const missing = missingLaunchers({ owner: 'test', repositories: new Map(entries) });
    expect(missing?.kind).toBe(kind);
    if (kind === 'refusal') expect(missing?.text).toMatch(/ 2:/);
  });
});
