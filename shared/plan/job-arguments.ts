/** Puts a command's arguments into a job: the spec and an argument vector in, the spec with them out. */
import type { CustomJobSpec } from '../config/job-spec.ts';

/** Vertex AI's own images (the reduction server and the like) take no arguments of the program that trains. */
export const vertexImages =
  /^(us|europe|asia)-docker\.pkg\.dev\/vertex-ai(-restricted)?(?:\/(?!\.)[\w.-]+)+(?:[:@][\w:.-]+)?$/;

/**
 * As gcloud's `--args`: they replace the arguments of every pool, because all replicas run the same program.
 */
export function withArguments(spec: CustomJobSpec, args: readonly string[]): CustomJobSpec {
  const workerPoolSpecs = spec.workerPoolSpecs.map((pool) => {
    const { containerSpec, pythonPackageSpec } = pool;
    if (containerSpec !== undefined && !vertexImages.test(containerSpec.imageUri ?? ''))
      return { ...pool, containerSpec: { ...containerSpec, args } };
    if (pythonPackageSpec !== undefined)
      return { ...pool, pythonPackageSpec: { ...pythonPackageSpec, args } };
    return pool;
  });
  return { ...spec, workerPoolSpecs };
}

/**
 * Vertex AI expands `$(NAME)` in arguments; what a comment says is meant literally. Every `$` before the
 * bracket is doubled: one more before `$$(NAME)` would make an escape and then an expansion of it.
 * @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/EnvVar
 */
export function escapeExpansion(argument: string): string {
  return argument.replaceAll(/\$+(?=\()/g, (run) => run + run);
}
