/** How the image of a run is built: what the commit has and what was asked for in, a BuildPlan or a Refusal out. */
import type { BuildMode } from '../command/command.ts';
import { quoteToken } from '../command/quote-token.ts';
import { reject, type Refusal } from '../policy/decision.ts';
import type { PlanInput } from './plan-run.ts';
import { planOwnBuild } from './plan-own-build.ts';
import type { BuildPlan, Subject } from './plan.ts';

export type BuildInput = Pick<
  PlanInput,
  | 'settings'
  | 'repoConfig'
  | 'subject'
  | 'tier'
  | 'authority'
  | 'hasDockerfile'
  | 'ownBuild'
  | 'buildOptions'
> & { readonly command?: { readonly build?: BuildMode } };

const buildTimeoutSeconds = 1_800;
/** Cloud Build's own default. @see https://cloud.google.com/build/docs/build-config-file-schema#timeout_2 */
const ownBuildTimeoutSeconds = 3_600;

export interface PlannedBuild {
  readonly kind: 'planned';
  readonly build: BuildPlan;
  readonly notes: readonly string[];
}

export function planBuild(input: BuildInput): PlannedBuild | Refusal {
  const { settings, repoConfig, subject, ownBuild } = input;
  const mode = input.command?.build;
  const place = {
    region: settings.buildRegion,
    sourceBucket: settings.sourceBucket,
    logsBucket: settings.logsBucket,
    ...(settings.builderServiceAccount === undefined
      ? {}
      : { serviceAccount: settings.builderServiceAccount }),
    ...(mode === undefined ? {} : { mode }),
  };
  if (ownBuild !== undefined) {
    const { project } = settings;
    const timeoutSeconds = input.buildOptions?.timeoutSeconds ?? ownBuildTimeoutSeconds;
    return planOwnBuild(ownBuild, { ...input, project, place: { ...place, timeoutSeconds } });
  }
  if (!input.hasDockerfile) {
    return reject(
      'no_dockerfile',
      `There is no ${quoteToken(repoConfig.dockerfile)} in this commit.`,
      'Add one whose ENTRYPOINT trains the model, or name it in `.github/trainyard.yml` (`dockerfile:`).',
    );
  }
  const build: BuildPlan = {
    ...place,
    kind: 'dockerfile',
    dockerfile: repoConfig.dockerfile,
    imageName: `${settings.registry}/${imageNameOf(subject, input.authority)}`,
    timeoutSeconds: buildTimeoutSeconds,
    // Builds of pull requests push with the same account, and could put something else behind the base's layers.
    ...(input.authority === 'app' && input.tier === 'base' ? { layerCache: false } : {}),
    ...input.buildOptions,
  };
  return { kind: 'planned', build, notes: [] };
}

/**
 * Repository names have capitals and dots that image names may not begin or end with. The App builds for many
 * owners, whose repositories can have the same name and must not share layers: its images carry the id as well.
 */
function imageNameOf({ repository }: Subject, authority: PlanInput['authority']): string {
  const name = repository.fullName.split('/')[1] ?? '';
  const clean = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  if (authority === 'workflow' && clean !== '') return clean;
  return `${clean === '' ? 'repository' : clean}-${repository.id}`;
}
