/** The main job end to end, against the sandbox as it is and as strict as production: comment → trained model. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox, type Sandbox } from '../../sandbox/start.ts';
import { eventually, personAt } from './github-user.ts';

describe.each([{ realistic: false }, { realistic: true }])(
  'realistic: $realistic',
  ({ realistic }) => {
    let sandbox: Sandbox;
    let dataDir = '';
    const appLines: string[] = [];

    beforeAll(async () => {
      dataDir = await mkdtemp(join(tmpdir(), 'trainyard-acceptance-'));
      sandbox = await startSandbox({
        dataDir,
        port: 0,
        app: true,
        realistic,
        onAppLine: (line) => appLines.push(line),
      });
    });
    afterAll(async () => {
      await sandbox.close();
      await rm(dataDir, { recursive: true, force: true });
    });

    it('trains the commit and says so in one comment and one check', async () => {
      const olivia = personAt(sandbox);
      const head = await olivia.head();
      const asked = await olivia.say('Let us see.\n\n/train gpu=T4');

      const reactedAt = await eventually('a reaction', async () =>
        (await olivia.reactions(asked)).includes('eyes') ? Date.now() : undefined,
      );
      expect(reactedAt - new Date(asked.created_at).getTime()).toBeLessThan(30_000);

      const titles = new Set<string>();
      const check = await eventually('the check to complete', async () => {
        const [found] = await olivia.checks(head);
        if (found?.output.title != null) titles.add(found.output.title);
        return found?.status === 'completed' ? found : undefined;
      });
      expect(check.conclusion).toBe('success');
      expect(check.output.title).toMatch(/val_accuracy 0\.9/);
      // It moved through its phases and did not just appear.
      expect(titles.size).toBeGreaterThan(2);

      const card = await eventually('the final card', async () =>
        (await olivia.answers(asked)).find(({ body }) => body.includes('**Trained**')),
      );
      expect(await olivia.answers(asked)).toHaveLength(1);
      expect(card.body).toContain(head.slice(0, 7));
      expect(card.body).toContain('```mermaid');
      expect(card.body).toMatch(/\$\d+\.\d\d/);
      expect(card.body).toMatch(/sandbox/i);
      const accuracy = Number(/val_accuracy\D{1,20}(0\.\d+)/.exec(card.body)?.[1]);
      expect(accuracy).toBeGreaterThan(0.93);

      const jobs = await olivia.jobs();
      expect(jobs.map(({ state }) => state)).toEqual(['JOB_STATE_SUCCEEDED']);
      const builds = await olivia.builds();
      expect(builds.map(({ status }) => status)).toEqual(['SUCCESS']);
      expect(await olivia.checks(head)).toHaveLength(1);
    });

    it('answers what is asked about the run, from Google Cloud as it is', async () => {
      const olivia = personAt(sandbox);
      const answerTo = async (line: string, expected: RegExp): Promise<string> => {
        const asked = await olivia.say(line);
        return eventually(`${expected.source} after ${line}`, async () => {
          const answers = await olivia.answers(asked);
          return answers.find(({ body }) => expected.test(body))?.body;
        });
      };
      const log = await answerTo('/logs lines=5', /\*\*Log\*\*/);
      expect(log).toMatch(/of the job of run `\w{8}` .*: the last 5 lines/);
      expect(log.match(/^│ .*$/gm)).toHaveLength(5);
      await answerTo('/compare', /No run of the default branch has metrics/);
      await answerTo('/cost', /est\. <?\$\d+\.\d+.* for 1 run of this pull request/);
      const card = await answerTo('/build', /\*\*Built\*\*/);
      expect(card).toContain('image reused');
      expect(await olivia.builds()).toHaveLength(1);
    });

    it('sent nothing that GitHub would have refused as malformed', () => {
      expect(sandbox.violations).toEqual([]);
    });

    it('printed no secret', () => {
      const output = appLines.join('\n');
      expect(output).not.toContain(sandbox.description.app.secret);
      expect(output).not.toMatch(/BEGIN (RSA )?PRIVATE KEY|ghs_/);
    });
  },
);
