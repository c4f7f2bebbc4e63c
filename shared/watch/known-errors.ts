/**
 * What Google's error texts mean: a text in, a closed reason and two sentences out. The rules are tried in
 * order, so a text that names two things gets what is to be done first. Pure.
 * @see https://cloud.google.com/vertex-ai/docs/training/monitor-debug-training-errors
 * @see test/shared/watch/known-errors.test.ts for the texts and where they were seen
 */
import type { EndReason } from '../errors.ts';
import { grantSentence, missingRoleIn } from './missing-roles.ts';

export interface Classification {
  readonly reason: EndReason;
  readonly message: string;
  readonly fix: string;
}

interface Rule {
  readonly pattern: RegExp;
  /** @param project is used where the text names none */
  readonly classify: (
    match: RegExpExecArray,
    text: string,
    project: string | undefined,
  ) => Classification;
}

/** The service's text, shortened for a sentence. Hostile: reports escape it. */
export function quote(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}

const moreMemory =
  'Choose a machine with more memory, such as `machine=n1-highmem-8`, or a smaller batch size.';

/** Why the project or its accounts are not ready. */
const setUpRules: readonly Rule[] = [
  {
    // Our own words, with what to do about it. @see shared/google/credentials.ts
    pattern: /no Google Cloud credentials were found(?:; (.{1,300}))?/,
    classify: (match) => ({
      reason: 'permission_denied',
      message: 'no Google Cloud credentials were found.',
      fix: `To mend it, ${match[1] ?? 'run google-github-actions/auth before this step'}.`,
    }),
  },
  {
    pattern: /has not been used in project|SERVICE_DISABLED|API [^.]{0,80}it is disabled/i,
    classify: (_match, text, project) => ({
      reason: 'api_disabled',
      message: `a Google API is not enabled in the project: ${quote(text)}`,
      fix: `Run \`gcloud services enable ${apiIn(text)}${projectFlag(projectIn(text) ?? project)}\` and try again in a few minutes.`,
    }),
  },
  {
    pattern:
      /billing (?:to be enabled|must be enabled|has not been enabled|is disabled|account)|enable billing|BILLING_DISABLED/i,
    classify: (_match, text, project) => ({
      reason: 'billing_disabled',
      message: `billing does not work for the project: ${quote(text)}`,
      fix: `Link an open billing account to the project: \`gcloud billing projects link ${projectIn(text) ?? project ?? 'PROJECT'} --billing-account=ACCOUNT\`.`,
    }),
  },
  {
    pattern: /constraints\/\w|org(?:anization)? polic(?:y|ies)/i,
    classify: (_match, text) => {
      const constraint = /constraints\/[\w.]{0,99}\w/.exec(text)?.[0];
      return {
        reason: 'org_policy',
        message: `an organisation policy forbids it: ${quote(text)}`,
        fix:
          constraint === undefined
            ? "Ask the organisation's administrator, or change the setting that the policy names."
            : `Ask the organisation's administrator about \`${constraint}\`, or change what it forbids.`,
      };
    },
  },
  {
    // @see https://cloud.google.com/iam/docs/access-change-propagation
    pattern:
      /service agents? (?:are|is) being (?:provisioned|created)|(?:permission|role|IAM|policy)[^.]{0,120}\bpropagat/i,
    classify: (_match, text) => ({
      reason: 'iam_propagating',
      message: `a permission that was granted does not work yet: ${quote(text)}`,
      fix: 'Try again in a few minutes: changes of access take two to seven minutes, and sometimes longer.',
    }),
  },
  {
    pattern:
      /(?:service agent|gcp-sa-aiplatform(?:-cc)?\.iam\.gserviceaccount\.com)[`'"\])]*[^.]{0,80}does(?: not|n't) exist|service agent[^.]{0,80}(?:is missing|not found|has not been created)/i,
    classify: (_match, text, project) => ({
      reason: 'service_agent_missing',
      message: `Vertex AI's service agent does not exist in the project: ${quote(text)}`,
      fix: `Run \`gcloud beta services identity create --service=aiplatform.googleapis.com${projectFlag(project)}\`, and grant it \`roles/artifactregistry.reader\` on the image's repository.`,
    }),
  },
];

/** Why there is no machine, or the request cannot be served there. */
const capacityRules: readonly Rule[] = [
  {
    // Spot machines. @see https://cloud.google.com/vertex-ai/docs/training/use-spot-vms
    pattern: /preempted/i,
    classify: () => ({
      reason: 'preempted',
      message: 'Google took the spot machine back more often than it restarts a job.',
      fix: 'Try again without `spot`, in another region, or later.',
    }),
  },
  {
    // Some clients leave the product's name out. @see https://github.com/google-github-actions/deploy-cloudrun/issues/480
    pattern: /due to quota restrictions, (?:Cloud Build )?cannot run builds in this region/i,
    classify: () => ({
      reason: 'build_region_restricted',
      message: 'this project may not run builds in that region.',
      fix: 'Set `build_region` to global, us-central1, us-west2, europe-west1, asia-east1, australia-southeast1 or southamerica-east1.',
    }),
  },
  {
    pattern:
      /quota metrics exceed quota limits: ([\w./,\s-]{1,200})|Quota exceeded for quota metric '([\w./,\s-]{1,200})'|Quota '([A-Z0-9_]{1,100})' exceeded/i,
    classify: (match) => quotaUsedUp(quote(match[1] ?? match[2] ?? match[3] ?? '')),
  },
  {
    pattern:
      /Resources are insufficient in region: ([a-z0-9-]{1,40})|ZONE_RESOURCE_POOL_EXHAUSTED|does not have enough resources available|STOCKOUT/i,
    classify: (match) => ({
      reason: 'stockout',
      message: `Google has no such machine free in ${match[1] ?? 'the region'} right now.`,
      fix: 'Try another `region=` or GPU, or later.',
    }),
  },
  {
    pattern:
      /must be in the same regional location(?: as the service location [`'"]?([a-z0-9-]{1,40}))?/i,
    classify: (match, text) => ({
      reason: 'bucket_region',
      message: `the results bucket is not in the job's region: ${quote(text)}`,
      fix: `Use a bucket whose location is ${match[1] ?? "the job's region"}, not one of several regions.`,
    }),
  },
];

/** Why the image did not start, or what ended it. */
const containerRules: readonly Rule[] = [
  {
    pattern:
      /manifest[_ ]unknown|name[_ ]unknown|(?:failed to pull|image)[^]{0,300}(?:not found|does not exist)/i,
    classify: (_match, text) => ({
      reason: 'image_not_found',
      message: `the image does not exist: ${quote(text)}`,
      fix: 'Build it first, or correct its name.',
    }),
  },
  {
    pattern: /downloadArtifacts|failed to pull|pull access denied/i,
    classify: (_match, text) => {
      const missing = missingRoleIn(text);
      return {
        reason: 'image_pull_denied',
        message: `the image cannot be pulled: ${quote(text)}`,
        // Vertex AI pulls as its own agent, whatever account the job runs as.
        fix:
          missing === undefined
            ? "Check the image's name, and that Vertex AI's service agent may read its repository."
            : grantSentence(missing),
      };
    },
  },
  {
    // @see https://cloud.google.com/vertex-ai/docs/training/monitor-debug-interactive-shell ("ran out of memory and exited"; in jobs' errors it is "ran out-of-memory")
    pattern: /ran out[- ]of[- ]memory/i,
    classify: () => ({
      reason: 'out_of_memory',
      message: 'the container ran out of memory.',
      fix: moreMemory,
    }),
  },
  {
    pattern: /exited with a non-zero status of (-?\d+)/i,
    classify: (match) => exitStatus(Number(match[1])),
  },
];

/** Who may not do what; last, because most of the others name a permission too. */
const permissionRules: readonly Rule[] = [
  {
    pattern: /gcp-sa-aiplatform(?:-cc)?\.iam\.gserviceaccount\.com/i,
    classify: (_match, text) => {
      const missing = missingRoleIn(text);
      return {
        reason: 'service_agent_missing',
        message: `Vertex AI's service agent lacks a role: ${quote(text)}`,
        fix:
          missing === undefined
            ? "Grant the agent `roles/artifactregistry.reader` on the image's repository."
            : grantSentence(missing),
      };
    },
  },
  {
    pattern:
      /Permission [`'"]?[\w.]{1,100}[`'"]? denied|does(?: not|n't) have [`'"[]*[\w.]{1,100}[`'"\]]* (?:access|permission|IAM permission)|permission to act as|PERMISSION_DENIED|Permission denied on resource/i,
    classify: (_match, text) => {
      const missing = missingRoleIn(text);
      return {
        reason: 'permission_denied',
        message: `an account may not do what it should: ${quote(text)}`,
        fix:
          missing === undefined
            ? 'Give it the role that the message names; new roles take a few minutes to work.'
            : grantSentence(missing),
      };
    },
  },
];

const rules = [...setUpRules, ...capacityRules, ...containerRules, ...permissionRules];

/**
 * Undefined when the text says nothing that we know.
 * @param project in which it happened
 */
export function knownError(text: string, project?: string): Classification | undefined {
  for (const rule of rules) {
    const match = rule.pattern.exec(text);
    if (match !== null) return rule.classify(match, text, project);
  }
  return undefined;
}

/** 128 + n is how a shell and Docker report "killed by signal n". */
function exitStatus(status: number): Classification {
  if (status === 137) {
    return {
      reason: 'out_of_memory',
      message:
        "the training code was killed (exit status 137), most often because the machine's memory ran out.",
      fix: moreMemory,
    };
  }
  return {
    reason: 'user_code_exit',
    message: `the training code exited with status ${status}.`,
    fix: 'Read the last lines of its log below, mend the code and push.',
  };
}

/** Vertex AI's quotas are apart from Compute Engine's, and each region has its own. */
function quotaUsedUp(metric: string): Classification {
  const [first = '', ...more] = metric.split(/[,\s]+/).filter(Boolean);
  const names = [first, ...more].map((name) => `\`${name.split('/').at(-1) ?? name}\``).join(', ');
  return {
    reason: 'quota',
    message: `the project's quota is used up: ${metric}.`,
    fix: `Ask for more of ${names} on the IAM & Admin → Quotas page of the job's region, or wait for another run to end.`,
  };
}

const apiOfName: readonly (readonly [name: string, api: string])[] = [
  ['Vertex AI', 'aiplatform'],
  ['Cloud Build', 'cloudbuild'],
  ['Artifact Registry', 'artifactregistry'],
  ['Cloud Storage', 'storage'],
  ['Cloud Logging', 'logging'],
  ['Secret Manager', 'secretmanager'],
  ['IAM Service Account Credentials', 'iamcredentials'],
];

function apiIn(text: string): string {
  const named = /\b([a-z]{2,40})\.googleapis\.com(?!\/v\d)/.exec(
    text.replace(/https:\/\/(?:console\.)?developers\.google\.com\/apis\/api\//, ''),
  )?.[1];
  const known = named ?? apiOfName.find(([name]) => text.includes(name))?.[1];
  return known === undefined ? 'NAME.googleapis.com' : `${known}.googleapis.com`;
}

function projectIn(text: string): string | undefined {
  return /projects?[ =#/]*#?([a-z][a-z0-9-]{4,28}[a-z0-9]|\d{1,20})\b/i.exec(text)?.[1];
}

function projectFlag(project: string | undefined): string {
  return project === undefined ? '' : ` --project=${project}`;
}
