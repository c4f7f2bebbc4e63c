/**
 * What GitHub refuses although its OpenAPI description allows it: a small table, each row with its source.
 */
import type { OperationId } from './operations.ts';
import { MalformedRequest, type FieldError } from './reply.ts';

type Body = Readonly<Record<string, unknown>>;
/** Undefined when the body is fine. */
type Rule = (body: Body) => FieldError | undefined;

/** @see https://github.com/orgs/community/discussions/27190 ("body is too long (maximum is 65536 characters)") */
const maxBodyCharacters = 65_536;
/** @see https://github.com/octokit/octokit.net/issues/2083 ("Only 65535 characters are allowed") */
const maxOutputCharacters = 65_535;
/** @see https://github.com/github/docs/issues/35252 ("summary exceeds a maximum bytesize of 65535") */
const maxOutputBytes = 65_535;
const maxTitleCharacters = 255;
const maxPullTitleCharacters = 256;
/** @see https://docs.github.com/en/rest/commits/statuses ("at most 140 characters", refused with 422) */
const maxStatusDescription = 140;

function bodyIsShort(resource: string): Rule {
  return ({ body }) =>
    typeof body === 'string' && characters(body) > maxBodyCharacters
      ? {
          resource,
          code: 'custom',
          field: 'body',
          message: `body is too long (maximum is ${maxBodyCharacters} characters)`,
        }
      : undefined;
}

/** @see https://docs.github.com/en/rest/issues/comments#create-an-issue-comment */
const bodyIsNotBlank: Rule = ({ body }) =>
  typeof body === 'string' && body.trim() === ''
    ? { resource: 'IssueComment', code: 'missing_field', field: 'body' }
    : undefined;

/** @see https://docs.github.com/en/rest/checks/runs ("Required if you provide completed_at or a status of completed") */
const completedHasConclusion: Rule = ({ status, conclusion, completed_at: completedAt }) =>
  (status === 'completed' || completedAt !== undefined) && conclusion === undefined
    ? invalid('CheckRun', 'conclusion', 'conclusion is required when status is completed')
    : undefined;

/** @see https://docs.github.com/en/rest/checks/runs ("Only GitHub Actions can set a status of waiting, pending, or requested") */
const statusIsAnApps: Rule = ({ status }) =>
  typeof status === 'string' && ['waiting', 'requested', 'pending'].includes(status)
    ? invalid('CheckRun', 'status', `only GitHub Actions can set a status of ${status}`)
    : undefined;

const outputIsShort: Rule = ({ output }) => {
  const { title, summary, text } = (output ?? {}) as Body;
  const limits: readonly [string, unknown, number][] = [
    ['title', title, maxTitleCharacters],
    ['summary', summary, maxOutputCharacters],
    ['text', text, maxOutputCharacters],
  ];
  const long = limits.find(
    ([, value, max]) => typeof value === 'string' && characters(value) > max,
  );
  if (long !== undefined) {
    const [field, , max] = long;
    return invalid('CheckRun', field, `Only ${max} characters are allowed`);
  }
  const [large] = limits.find(
    ([name, value]) =>
      name !== 'title' && typeof value === 'string' && Buffer.byteLength(value) > maxOutputBytes,
  ) ?? [undefined];
  if (large === undefined) return undefined;
  return {
    resource: 'CheckRun',
    code: 'custom',
    field: large,
    message: `${large} exceeds a maximum bytesize of ${maxOutputBytes}`,
  };
};

/** @see https://docs.github.com/en/rest/checks/runs#annotations-object ("Omit this parameter if start_line and end_line have different values") */
const columnsOnOneLine: Rule = ({ output }) => {
  const annotations = ((output ?? {}) as Body)['annotations'];
  if (!Array.isArray(annotations)) return undefined;
  const wrong = (annotations as Body[]).some(
    (one) =>
      one['start_line'] !== one['end_line'] &&
      (one['start_column'] !== undefined || one['end_column'] !== undefined),
  );
  return wrong
    ? invalid('CheckRun', 'annotations', 'columns are allowed within one line only')
    : undefined;
};

/**
 * In GitHub's words, as Apps report them.
 * @see https://github.com/packit/packit-service/pull/1169
 * @see https://github.com/flutter/flutter/issues/181425
 */
const detailsAreAPage: Rule = ({ details_url: address }) => {
  if (typeof address !== 'string') return undefined;
  const field = { resource: 'CheckRun', code: 'custom', field: 'details_url' } as const;
  if (!/^https?:/i.test(address))
    return { ...field, message: 'details_url must use the http or https scheme' };
  return URL.canParse(address)
    ? undefined
    : { ...field, message: 'details_url is not a valid URL' };
};

const statusIsShort: Rule = ({ description }) =>
  typeof description === 'string' && characters(description) > maxStatusDescription
    ? {
        resource: 'Status',
        code: 'custom',
        field: 'description',
        message: `description is too long (maximum is ${maxStatusDescription} characters)`,
      }
    : undefined;

const pullTitleFits: Rule = ({ title }) => {
  if (typeof title !== 'string') return undefined;
  if (title.trim() === '') {
    return { resource: 'PullRequest', code: 'missing_field', field: 'title' };
  }
  return characters(title) > maxPullTitleCharacters
    ? invalid(
        'PullRequest',
        'title',
        `title is too long (maximum is ${maxPullTitleCharacters} characters)`,
      )
    : undefined;
};

const checkRules = [
  ...[completedHasConclusion, statusIsAnApps, outputIsShort, columnsOnOneLine],
  detailsAreAPage,
];
const commentRules = [bodyIsNotBlank, bodyIsShort('IssueComment')];
const pullRules = [pullTitleFits, bodyIsShort('PullRequest')];

const rules: Readonly<Partial<Record<OperationId, readonly Rule[]>>> = {
  'issues/create-comment': commentRules,
  'issues/update-comment': commentRules,
  'checks/create': checkRules,
  'checks/update': checkRules,
  'pulls/create': pullRules,
  'pulls/update': pullRules,
  'repos/create-commit-status': [statusIsShort],
};

export function beyondDescription(id: OperationId, body: Body): MalformedRequest | undefined {
  for (const rule of rules[id] ?? []) {
    const error = rule(body);
    if (error !== undefined) {
      return new MalformedRequest(422, 'Validation Failed', { errors: [error] });
    }
  }
  return undefined;
}

function invalid(resource: string, field: string, message: string): FieldError {
  return { resource, code: 'invalid', field, message };
}

/** Code points, as a database counts them; a JavaScript string counts UTF-16 units. */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
