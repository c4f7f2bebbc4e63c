/**
 * What a service says beside its sentence when it refuses: whatever a client library threw in; the reason, the
 * quota and the time to wait out. gax decodes the details of an answer, other libraries leave its JSON in the text.
 * @see https://cloud.google.com/apis/design/errors#error_details
 */

interface ErrorDetails {
  /** Such as RATE_LIMIT_EXCEEDED. @see https://github.com/googleapis/googleapis/blob/master/google/api/error_reason.proto */
  readonly reason: string | undefined;
  /** Such as `aiplatform.googleapis.com/job_submission_requests`. */
  readonly quotaMetric: string | undefined;
  /** Of RetryInfo. */
  readonly retrySeconds: number | undefined;
}

export function errorDetailsOf(error: Error): ErrorDetails {
  const details = detailsOf(error);
  const info = details.find(({ reason }) => typeof reason === 'string') ?? {};
  const metadata = isRecord(info['metadata']) ? info['metadata'] : {};
  const delays = details.map(({ retryDelay }) => secondsOf(retryDelay));
  return {
    reason: textOf(info['reason']),
    quotaMetric: textOf(metadata['quota_metric']),
    retrySeconds: delays.find((seconds) => seconds !== undefined),
  };
}

/** Rates are refused in these words where there are no details. */
const rateWords = /\bper (?:minute|second|\d+ seconds)\b|\brate limit|\btoo many requests\b/i;
/** What is held, what there is none of, and what is counted by the day: no wait helps that anybody would wait for. */
const otherWords =
  /quota metrics exceed quota limits|\bcustom_model_training|\bper day\b|resources are insufficient|enough resources available|RESOURCE_POOL_EXHAUSTED|STOCKOUT/i;

/**
 * True when requests came too fast: nothing was done, and the same request may be taken in a moment. False for
 * machines, of which the same status says that a quota or a region has no more.
 * @see https://cloud.google.com/docs/quotas/overview#quota_types (rate, allocation, concurrent)
 */
export function isRateLimit(status: number, message: string, details: ErrorDetails): boolean {
  const { reason, quotaMetric = '', retrySeconds } = details;
  if (status !== 429 || reason === 'RESOURCE_QUOTA_EXCEEDED') return false;
  if (otherWords.test(`${message} ${quotaMetric}`)) return false;
  return (
    reason === 'RATE_LIMIT_EXCEEDED' ||
    retrySeconds !== undefined ||
    /requests?$/i.test(quotaMetric) ||
    rateWords.test(message)
  );
}

/** The `error` of an answer that a library has left in its message as JSON. */
export function errorInJson(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    const body: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
    const inner = isRecord(body) ? body['error'] : undefined;
    return isRecord(inner) ? inner : undefined;
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function detailsOf(error: Error): readonly Readonly<Record<string, unknown>>[] {
  const decoded = 'statusDetails' in error ? error.statusDetails : undefined;
  const all = decoded ?? errorInJson(error.message)?.['details'];
  return Array.isArray(all) ? all.filter(isRecord) : [];
}

/** A Duration: `37.5s` in JSON, `{seconds, nanos}` where it was decoded. */
function secondsOf(duration: unknown): number | undefined {
  const seconds = isRecord(duration)
    ? // A Long, which becomes a number as it is.
      Number(duration['seconds'] ?? 0) + Number(duration['nanos'] ?? 0) / 1e9
    : Number(/^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(textOf(duration) ?? '')?.[1]);
  return seconds > 0 ? seconds : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
