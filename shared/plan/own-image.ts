/**
 * Which image of a repository's own build config is the run's: the config with its substitutions in, a
 * choice or the reason why there is none out.
 */
import { quoteToken } from '../command/quote-token.ts';
import type { BuildConfig, BuildStep } from '../config/build-config.ts';
import { substitute, type SubstitutionValues } from '../config/substitutions.ts';
import type { OwnImage } from './plan.ts';

type OwnImageChoice =
  | { readonly kind: 'chosen'; readonly image: OwnImage }
  | { readonly kind: 'unclear'; readonly message: string; readonly fix: string };

/** The input by which people choose. */
const choose = 'Name the one that the job runs in the input `image_name`.';

/** @param wanted `digits`, or the whole name with or without a tag */
export function chooseOwnImage(
  config: BuildConfig,
  values: SubstitutionValues,
  wanted: string | undefined,
): OwnImageChoice {
  const fill = (text: string): string => substitute(text, values);
  const listed = [...(config.images ?? []), ...(config.artifacts?.images ?? [])].map(fill);
  const pushed = config.steps.flatMap(pushedBy).map(fill);
  const name = wanted === undefined ? undefined : fill(wanted);
  const ofWanted = (images: readonly string[]): readonly string[] =>
    name === undefined ? images : images.filter((image) => isNamed(image, withoutTag(name)));
  const reported = distinct(ofWanted(listed));
  if (reported.length === 1)
    return { kind: 'chosen', image: { from: 'reported', ...(name && { name: withoutTag(name) }) } };
  if (reported.length > 1) return several(reported);
  const tags = ofWanted(pushed);
  const [first] = tags;
  if (listed.length === 0 && first !== undefined) {
    const names = distinct(tags);
    return names.length > 1 ? several(names) : taken(first);
  }
  // A step's script may push what nobody can see here.
  if (listed.length === 0 && name !== undefined && /:[^/]+$/.test(name)) return taken(name);
  return {
    kind: 'unclear',
    message:
      name === undefined
        ? 'it lists no `images`, and no step of it is seen to push one.'
        : `no image of it is called ${quoteToken(name)}${listing(distinct([...listed, ...pushed]))}.`,
    fix:
      name === undefined
        ? 'List the image below `images:`; Cloud Build then pushes it and reports its digest.'
        : 'Correct the input `image_name`.',
  };
}

/** True for the last part of an image's name, and for more of it. */
export function isNamed(image: string, wanted: string): boolean {
  const name = withoutTag(image);
  return name === wanted || name.endsWith(`/${wanted}`);
}

export function withoutTag(image: string): string {
  return image.replace(/(?:@sha256:[0-9a-f]{64}|:[^/]*)$/, '');
}

function taken(image: string): OwnImageChoice {
  const tag = withoutTag(image) === image ? `${image}:latest` : image;
  if (/^[a-z0-9-]+-docker\.pkg\.dev\//.test(tag))
    return { kind: 'chosen', image: { from: 'pushed', tag } };
  return {
    kind: 'unclear',
    message: `a step of it pushes ${quoteToken(tag)}, and only Artifact Registry can be asked for what that became.`,
    fix: 'List the image below `images:`; Cloud Build then pushes it and reports its digest.',
  };
}

function several(names: readonly string[]): OwnImageChoice {
  return { kind: 'unclear', message: `it makes several images${listing(names)}.`, fix: choose };
}

function listing(names: readonly string[]): string {
  return names.length === 0 ? '' : `: ${names.slice(0, 10).map(quoteToken).join(', ')}`;
}

function distinct(images: readonly string[]): readonly string[] {
  return [...new Set(images.map(withoutTag))];
}

const dockerBuilder = /^(?:gcr\.io\/cloud-builders\/docker|docker)(?:[:@]|$)/;
const kaniko = /(?:^|\/)kaniko(?:-project)?\/executor(?:[:@]|$)/;

/** `docker push`, `docker buildx build --push` and kaniko's `--destination`; a shell's script is not read. */
function pushedBy({ name, args = [], entrypoint }: BuildStep): readonly string[] {
  if (kaniko.test(name)) return valuesOf(args, ['--destination', '-d']);
  if (!dockerBuilder.test(name) || (entrypoint ?? 'docker') !== 'docker') return [];
  const words = args[0] === 'buildx' || args[0] === 'image' ? args.slice(1) : args;
  if (words[0] === 'push') return words.slice(1).filter((word) => !word.startsWith('-'));
  return words[0] === 'build' && words.includes('--push') ? valuesOf(words, ['--tag', '-t']) : [];
}

function valuesOf(args: readonly string[], flags: readonly string[]): readonly string[] {
  return args.flatMap((arg, index) => {
    const [flag = '', value] = arg.split(/=(.*)/s);
    if (!flags.includes(flag)) return [];
    return value ?? args[index + 1] ?? [];
  });
}
