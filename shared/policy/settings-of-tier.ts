/** What a run of one trust tier may use of a repository's settings, and whether there is something for it. Pure. */
import type { ProjectSettings } from '../config/project-settings.ts';
import type { RepoConfig } from '../config/repo-config.ts';
import type { TrustTier } from './decision.ts';
import { effectivePolicy, type Policy } from './policy.ts';

/** The policy that holds, from what the operator and the default branch say. */
export function policyOf(settings: ProjectSettings, repoConfig?: RepoConfig): Policy {
  const { policy, regions, maxUsdPerRun } = settings;
  const given = { regions, ...(maxUsdPerRun === undefined ? {} : { maxUsdPerRun }) };
  return effectivePolicy({ ...policy, ...given }, repoConfig?.policy ?? {});
}

/** Code of forks shares nothing with other code: neither who runs and builds it, nor where its images go. */
export function hasForkPlaces(settings: ProjectSettings): boolean {
  const { builderServiceAccounts, trainerServiceAccounts, registries } = settings;
  const own = [builderServiceAccounts?.fork, trainerServiceAccounts?.fork, registries?.fork];
  const others = [
    ...[builderServiceAccounts?.base, builderServiceAccounts?.pull],
    ...[trainerServiceAccounts?.base, trainerServiceAccounts?.pull],
    ...[registries?.base, registries?.pull],
    ...[settings.builderServiceAccount, settings.trainerServiceAccount, settings.registry],
    settings.launcherServiceAccount,
  ];
  return own.every((one) => one !== undefined && !others.includes(one));
}

/** The settings with the tier's own accounts and registry, and as narrow as the policy. */
export function settingsOfTier(
  settings: ProjectSettings,
  policy: Policy,
  tier: TrustTier,
): ProjectSettings {
  const builder = settings.builderServiceAccounts?.[tier] ?? settings.builderServiceAccount;
  const trainer = settings.trainerServiceAccounts?.[tier] ?? settings.trainerServiceAccount;
  return {
    ...settings,
    policy: { ...settings.policy, openFields: policy.openFields },
    regions: policy.regions ?? settings.regions,
    registry: settings.registries?.[tier] ?? settings.registry,
    ...(policy.maxUsdPerRun === undefined ? {} : { maxUsdPerRun: policy.maxUsdPerRun }),
    ...(builder === undefined ? {} : { builderServiceAccount: builder }),
    ...(trainer === undefined ? {} : { trainerServiceAccount: trainer }),
  };
}
