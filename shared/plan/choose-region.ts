/** Where a run goes: the command, the configuration and what may be used in, a region or a Refusal out. */
import { otherRegions, trainingRegions } from '../catalogue/regions.ts';
import { quoteToken } from '../command/quote-token.ts';
import type { ProjectSettings } from '../config/project-settings.ts';
import { reject, type Refusal } from '../policy/decision.ts';
import { nearest } from '../units.ts';
import type { PlanInput } from './plan-run.ts';

export function chooseRegion({
  settings,
  command,
  repoConfig,
  authority,
}: Pick<PlanInput, 'settings' | 'command' | 'repoConfig' | 'authority'>):
  | { readonly kind: 'region'; readonly region: string; readonly notes: readonly string[] }
  | Refusal {
  const region = command.region ?? repoConfig.region ?? settings.regions[0] ?? 'us-central1';
  if (!settings.regions.includes(region)) return badRegion(region, settings);
  if (authority === 'app' && settings.resultsBuckets[region] === undefined)
    return noResultsBucket(region, settings);
  if (trainingRegions.includes(region)) return { kind: 'region', region, notes: [] };
  const message = `Vertex AI does not train in ${quoteToken(region)} as far as is known.`;
  if (settings.allowUnknownMachines === true || otherRegions.includes(region))
    return { kind: 'region', region, notes: [`${message} It is tried all the same.`] };
  const near = nearest(region, trainingRegions);
  const hint = near === undefined ? '' : `Did you mean \`${near}\`? `;
  const some = trainingRegions.slice(0, 8).join(', ');
  return reject('region_not_allowed', message, `${hint}Regions are ${some} …`);
}

function badRegion(region: string, settings: ProjectSettings): Refusal {
  const regions = settings.regions.map((name) => `\`${name}\``).join(', ');
  return reject(
    'region_not_allowed',
    `Runs of this repository may not use ${quoteToken(region)}.`,
    `Allowed: ${regions}.`,
  );
}

function noResultsBucket(region: string, settings: ProjectSettings): Refusal {
  const regions = Object.keys(settings.resultsBuckets).map((name) => `\`${name}\``);
  return reject(
    'region_not_allowed',
    `There is no bucket for results in ${quoteToken(region)}.`,
    regions.length === 0
      ? 'Ask the operator of Trainyard to name one.'
      : `Regions that have one: ${regions.join(', ')}.`,
  );
}
