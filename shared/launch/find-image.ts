/**
 * The image of a run, by digest: from what builds of ours reported, or for an image that a step pushed by
 * itself from the registry. Never what a tag says without more, because whoever may push can move a tag.
 */
import { quoteToken } from '../command/quote-token.ts';
import { substitute } from '../config/substitutions.ts';
import { CloudError, UserError } from '../errors.ts';
import type { BuildPlan, Plan } from '../plan/plan.ts';
import { isNamed, withoutTag } from '../plan/own-image.ts';
import type { EarlierBuilds, Images } from '../ports.ts';
import { secondsBetween } from '../units.ts';
import type { Classification } from '../watch/classify.ts';
import type { BuildSnapshot, Run } from '../watch/run.ts';
import { contentTag } from './requests.ts';

type FoundImage =
  | { readonly kind: 'found'; readonly image: string; readonly digest: string }
  | { readonly kind: 'none'; readonly why: Classification };

interface RegistryPorts {
  readonly earlierBuilds: EarlierBuilds;
  readonly images: Images;
}

const digestPattern = /^sha256:[0-9a-f]{64}$/;

/**
 * The image of a build of ours that was of just this content and is still there. Undefined also when nobody
 * can say: a build more costs a minute, a run that does not start a person.
 */
export async function findEarlierImage(
  plan: Plan,
  build: BuildPlan,
  contentHash: string,
  ports: RegistryPorts,
): Promise<
  { readonly build: string; readonly digest: string; readonly image: string } | undefined
> {
  const tag = contentTag(plan, build, contentHash);
  const { project } = plan;
  try {
    const where = { project, region: build.region, contentTag: tag };
    for (const earlier of await ports.earlierBuilds.find(where)) {
      const found = reportedImage(build, tag, earlier.images);
      if (found.kind === 'none') continue;
      const { image, digest } = found;
      // The registry may have been cleaned since.
      if (await ports.images.exists(image)) return { build: earlier.build, digest, image };
    }
    return undefined;
  } catch (error) {
    // A UserError: an image that is in none of Artifact Registry's repositories.
    if (error instanceof CloudError || error instanceof UserError) return undefined;
    throw error;
  }
}

/** The image of the run's own build, which has succeeded. */
export async function findBuiltImage(
  run: Run,
  images: Pick<Images, 'resolve'>,
): Promise<FoundImage> {
  const { plan, source } = run;
  const snapshot = run.build?.snapshot;
  if (plan.build === undefined || source === undefined || snapshot === undefined)
    throw new Error('find image: the run has no build');
  if (plan.build.kind === 'cloudbuild' && plan.build.image.from === 'pushed') {
    const { config, region, image } = plan.build;
    const known = { PROJECT_ID: plan.project, LOCATION: region, BUILD_ID: snapshot.id };
    const tag = substitute(image.tag, { ...config.substitutions, ...known });
    return pushedImage(tag, snapshot, images);
  }
  const content = contentTag(plan, plan.build, source.contentHash);
  return reportedImage(plan.build, content, snapshot.images);
}

function reportedImage(
  build: BuildPlan,
  content: string,
  reported: BuildSnapshot['images'],
): FoundImage {
  const isWanted = (name: string): boolean => {
    if (build.kind === 'dockerfile') return name === `${build.imageName}:${content}`;
    const wanted = build.image.from === 'reported' ? build.image.name : undefined;
    return wanted === undefined || isNamed(name, wanted);
  };
  const fitting = reported.filter(
    ({ name, digest }) => isWanted(name) && digestPattern.test(digest),
  );
  // One image may be listed with several tags.
  const byImage = new Map(
    fitting.map(({ name, digest }) => [`${withoutTag(name)}@${digest}`, digest] as const),
  );
  const [only, ...others] = byImage;
  if (only !== undefined && others.length === 0)
    return { kind: 'found', image: only[0], digest: only[1] };
  if (only === undefined) {
    return none('the build succeeded but reported no digest for its image.', tryAgain, 'internal');
  }
  const names = [...byImage.keys()].slice(0, 10).map((image) => quoteToken(withoutTag(image)));
  const fix = 'Name the one that the job runs in the input `image_name`.';
  return none(`the build made several images: ${names.join(', ')}.`, fix, 'bad_config');
}

const tryAgain = 'Try again; if it happens twice, look at the build.';
const listIt = 'List it below `images:` in the build config; Cloud Build then reports its digest.';

/** A tag may be moved by anybody who can push, so what it stands for must have come while the build ran. */
async function pushedImage(
  tag: string,
  { startTime, createTime }: BuildSnapshot,
  images: Pick<Images, 'resolve'>,
): Promise<FoundImage> {
  const since = startTime ?? createTime;
  try {
    const found = await images.resolve(tag);
    if (found === undefined || !digestPattern.test(found.digest))
      return none(`the build succeeded, but the registry has no ${quoteToken(tag)}.`, listIt);
    const isOfThisBuild =
      since !== undefined &&
      found.uploadedAt !== undefined &&
      secondsBetween(since, found.uploadedAt) >= 0;
    if (!isOfThisBuild) {
      const message = `${quoteToken(tag)} was in the registry before the build began, so it may be somebody else's.`;
      return none(message, listIt);
    }
    const { digest } = found;
    return { kind: 'found', image: `${withoutTag(tag)}@${digest}`, digest };
  } catch (error) {
    // Still holds a variable of Cloud Build's that is not known here.
    if (error instanceof UserError) return none(`${quoteToken(tag)} cannot be looked up.`, listIt);
    throw error;
  }
}

function none(
  message: string,
  fix: string,
  reason: Classification['reason'] = 'image_not_found',
): FoundImage {
  return { kind: 'none', why: { reason, message, fix } };
}
