/**
 * What Cloud Build will say of a trigger's build config when it is too late to see: the file as it is in the
 * repository in, a note for people out, or nothing.
 */
import { quoteToken } from '../command/quote-token.ts';
import { parseBuildConfig } from '../config/parse-build-config.ts';
import type { DeclaredTrigger } from './declaration.ts';

/** A log that goes to the standard bucket, which an account of one's own may not write to. */
const needsBucket: ReadonlySet<string> = new Set(['', 'LOGGING_UNSPECIFIED', 'LEGACY', 'GCS_ONLY']);

/**
 * @param text undefined: there is no such file
 * @param hasAccount it builds as an account of its own
 * @see https://cloud.google.com/build/docs/securing-builds/configure-user-specified-service-accounts
 */
export function noteOnBuildConfig(
  { name }: Pick<DeclaredTrigger, 'name'>,
  file: { readonly path: string; readonly text: string | undefined },
  hasAccount: boolean,
): string | undefined {
  const trigger = `Trigger ${quoteToken(name)}`;
  const path = quoteToken(file.path);
  if (file.text === undefined) {
    return `${trigger}: there is no file ${path}, so that its builds fail.`;
  }
  const parsed = parseBuildConfig(file.text, file.path, { isTriggered: true });
  if (!parsed.ok) {
    const [problem] = parsed.problems;
    const place = problem === undefined ? '' : ` (line ${problem.line}: ${problem.message})`;
    return `${trigger}: Cloud Build will not take ${path}${place}`;
  }
  const { logsBucket, options = {} } = parsed.value;
  const saysWhere =
    logsBucket !== undefined ||
    options.defaultLogsBucketBehavior === 'REGIONAL_USER_OWNED_BUCKET' ||
    !needsBucket.has(options.logging ?? '');
  return hasAccount && !saysWhere
    ? `${trigger}: it builds as an account of its own, and ${path} does not say where the log goes, which Cloud Build refuses. Add \`options: {logging: CLOUD_LOGGING_ONLY}\`.`
    : undefined;
}
