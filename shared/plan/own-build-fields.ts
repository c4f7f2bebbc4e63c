/**
 * Which fields of a build config a pull request's own file may set. Everything is closed but what is named
 * here: identity, secrets, private machines and where logs and files go are the operator's to decide, and a
 * tag of ours on a foreign build would pass its images off as those of another run.
 */
import type { BuildConfig } from '../config/build-config.ts';

const openFields: Readonly<Record<'build' | 'options' | 'step', readonly string[]>> = {
  build: ['steps', 'images', 'timeout', 'queueTtl', 'tags', 'substitutions', 'options'],
  options: [
    ...['machineType', 'diskSizeGb', 'env', 'volumes', 'logging', 'logStreamingOption'],
    ...['substitutionOption', 'dynamicSubstitutions', 'automapSubstitutions'],
    ...['requestedVerifyOption', 'sourceProvenanceHash', 'enableStructuredLogging'],
  ],
  step: [
    ...['name', 'args', 'env', 'dir', 'id', 'waitFor', 'entrypoint', 'script', 'volumes'],
    ...['timeout', 'allowFailure', 'allowExitCodes', 'automapSubstitutions'],
  ],
};

/** Tags by which Trainyard finds its own builds again. */
const reservedTag = /^(?:trainyard|c-)|\$/;

/** The paths that a pull request may not set, such as `serviceAccount` or `options.pool`. */
export function forbiddenBuildFields(config: BuildConfig): readonly string[] {
  const tags = (config.tags ?? []).flatMap((tag, index) =>
    reservedTag.test(tag) ? [`tags[${index}]`] : [],
  );
  return [
    ...closed(config, openFields.build, ''),
    ...closed(config.options ?? {}, openFields.options, 'options.'),
    ...config.steps.flatMap((step, index) => closed(step, openFields.step, `steps[${index}].`)),
    ...tags,
  ];
}

function closed(value: object, open: readonly string[], path: string): string[] {
  return Object.keys(value)
    .filter((key) => !open.includes(key))
    .map((key) => `${path}${key}`);
}
