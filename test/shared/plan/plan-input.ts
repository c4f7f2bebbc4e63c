/** A pull request's plan as most tests have it, and what they change of it. */
import { join } from 'node:path';
import type { TrainCommand } from '../../../shared/command/command.ts';
import { defaultSettings } from '../../../shared/config/project-settings.ts';
import { planRun, type PlanInput } from '../../../shared/plan/plan-run.ts';
import type { Plan } from '../../../shared/plan/plan.ts';

export const cpu = `workerPoolSpecs:
  machineSpec: {machineType: n1-standard-8}
  replicaCount: 1
  containerSpec: {imageUri: $IMAGE}
`;
export const cases = join(import.meta.dirname, '../config/cases');
export const sha = '3f2c1ab'.padEnd(40, '0');
export const input: PlanInput = {
  runId: 'k7q2m4xa',
  owner: 'Mine',
  tier: 'pull',
  subject: {
    repository: { id: 1001, fullName: 'acme/Digits.AI' },
    pullNumber: 12,
    headSha: sha,
    requestedBy: { id: 7, login: 'olivia' },
  },
  command: { kind: 'train', dryRun: false },
  repoConfig: { config: 'config_cpu.yaml', dockerfile: 'Dockerfile' },
  settings: defaultSettings('demo-project', ['us-central1']),
  jobConfig: { path: 'config_cpu.yaml', text: cpu },
  hasDockerfile: true,
  authority: 'app',
};
export const command = (fields: Partial<TrainCommand>): Partial<PlanInput> => ({
  command: { kind: 'train', dryRun: false, ...fields },
});
export const config = (text: string): Partial<PlanInput> => ({
  jobConfig: { path: 'config_cpu.yaml', text },
});
export const t4 = command({ gpu: { kind: 'gpu', name: 'T4', count: 1 } });

export function planned(change: Partial<PlanInput> = {}): Plan {
  const answer = planRun({ ...input, ...change });
  if (answer.kind === 'rejected') throw new Error(`${answer.reason}: ${answer.message}`);
  return answer.plan;
}
