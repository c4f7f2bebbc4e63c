/** The keys by which both the operator's and the repository's file say who may do what, and what they mean. */
import { z } from 'zod';
import { gpus } from '../catalogue/machines.ts';
import { openableFields } from '../plan/open-fields.ts';
import { commandPermissions, type Members, type PolicyRules } from '../policy/policy.ts';

/** A number by which GitHub knows something: one that a JavaScript number holds exactly. */
export const githubId = z.int('must be a numeric id').positive('must be a numeric id');

export const regionName = z
  .string()
  .regex(/^[a-z]+-[a-z]+\d{1,2}$/, 'must be a region such as us-central1');

const count = z.int('must be a whole number').positive('must be above 0');
const usd = z.number().positive('must be above 0');
const team = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,99}$/, 'must be the slug of a team');
const machine = z.string().regex(/^[a-z][a-z0-9-]{2,40}$/, 'must be a machine type');

/** Below `who:`. */
export const whoShape = {
  permission: z
    .enum(commandPermissions)
    .optional()
    .describe('the least permission in the repository that starts runs'),
  teams: z
    .array(team)
    .optional()
    .describe("slugs of the organisation's teams; one must be in one of them or among `users`"),
  users: z
    .array(githubId)
    .optional()
    .describe('numeric ids of people who may, with the permission'),
  bots: z.array(githubId).optional().describe('numeric ids of bots that may, by being named here'),
};

export const policyShape = {
  who: z.strictObject(whoShape).optional().describe('who may start runs'),
  forks: z
    .enum(['never', 'approved'])
    .optional()
    .describe('whether code of a fork runs once a writer has commented `/approve SHA`'),
  machines: z.array(machine).optional().describe('machine types that runs may use'),
  gpus: z
    .array(z.enum(gpus.map(({ name }) => name) as [string, ...string[]]))
    .optional()
    .describe('GPUs that runs may use; `[]` for none'),
  open_fields: z
    .array(z.enum(openableFields))
    .optional()
    .describe('fields of a job config that a pull request may set besides its machines'),
  max_gpus_per_run: count.optional().describe('GPUs of one run, over all its replicas'),
  max_runs_per_pull: count.optional().describe('runs of one pull request at once'),
  max_runs_per_user: count.optional().describe('runs of one person at once'),
  max_runs_per_repository: count.optional().describe('runs of the repository at once'),
  max_usd_per_month: usd
    .optional()
    .describe('US dollars in a calendar month (UTC): what has ended, and what is open at its most'),
  cancel_superseded: z
    .boolean()
    .optional()
    .describe('a push cancels runs of older commits of its pull request'),
};

/** The keys below one of the policy's keys, for "did you mean". */
export function policyKeysAt(key: string): readonly string[] | undefined {
  return key === 'who' ? Object.keys(whoShape) : undefined;
}

export function toPolicyRules(file: z.infer<z.ZodObject<typeof policyShape>>): PolicyRules {
  const { who = {} } = file;
  return defined({
    permission: who.permission,
    members: membersOf(who),
    bots: who.bots,
    forks: file.forks,
    machines: file.machines,
    gpus: file.gpus,
    openFields: file.open_fields,
    cancelSuperseded: file.cancel_superseded,
    maxGpusPerRun: file.max_gpus_per_run,
    maxRunsPerPull: file.max_runs_per_pull,
    maxRunsPerUser: file.max_runs_per_user,
    maxRunsPerRepository: file.max_runs_per_repository,
    maxUsdPerMonth: file.max_usd_per_month,
  });
}

/** Naming teams or people closes the circle; naming neither leaves it open. */
function membersOf({
  teams,
  users,
}: {
  readonly teams?: readonly string[] | undefined;
  readonly users?: readonly number[] | undefined;
}): Members | undefined {
  return teams === undefined && users === undefined
    ? undefined
    : { teams: teams ?? [], users: users ?? [] };
}

/** Without the keys that are not there. */
export function defined<T extends object>(
  value: T,
): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries) as { readonly [K in keyof T]?: Exclude<T[K], undefined> };
}
