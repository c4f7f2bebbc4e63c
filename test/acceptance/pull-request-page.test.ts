/**
 * The demo as a person sees it: the page in a real Chromium, the command typed, the green check waited for,
 * then the same command by people who may not start anything. With UPDATE_SCREENSHOT set it leaves the
 * picture that the README shows.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { startSandbox, type Sandbox } from '../../sandbox/start.ts';
import { pushTo } from './git-user.ts';
import { eventually, personAt, type Role } from './github-user.ts';

const executablePath = [
  process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find(existsSync);
if (executablePath === undefined) {
  process.stderr.write(
    'skipped: the pull request page of the demo (no Chromium; CHROMIUM=PATH names one)\n',
  );
}
const picture = 'docs/images/pull-request.png';
/** GitHub shows a README's pictures about this wide; twice as many pixels stay sharp. */
const viewport = { width: 900, height: 900 };

(executablePath === undefined ? describe.skip : describe)('the pull request page', () => {
  let sandbox: Sandbox;
  let browser: Browser;
  let page: Page;
  let dataDir = '';
  const complaints: string[] = [];
  const appLines: string[] = [];
  const closers: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'trainyard-page-'));
    sandbox = await startSandbox({
      dataDir,
      port: 0,
      app: true,
      realistic: false,
      onAppLine: (line) => appLines.push(line),
    });
    closers.push(() => sandbox.close());
    await trainMain();
    browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      args: ['--no-sandbox', '--disable-gpu'],
    });
    closers.push(() => browser.close());
    page = await browser.newPage({ viewport, deviceScaleFactor: 2, colorScheme: 'light' });
    page.setDefaultTimeout(120_000);
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    const { github } = sandbox.description;
    await page.goto(`${github.web}/${github.repo}/pull/${github.pull}`);
  });
  afterAll(async () => {
    for (const closer of closers.reverse()) await closer();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** So that the card has something to be held against. */
  const trainMain = async (): Promise<void> => {
    const file = '.github/trainyard.yml';
    const text = await readFile(join(import.meta.dirname, '../../examples/digits', file), 'utf8');
    const sha = await pushTo(sandbox, { [file]: `${text}train_on_push: true\n` }, 'main');
    const ended = async () =>
      (await personAt(sandbox).checks(sha)).find(({ status }) => status === 'completed');
    const check = await eventually('the run of main', ended);
    expect(check).toMatchObject({ name: 'trainyard/train', conclusion: 'success' });
  };

  const comments = (): Locator => page.getByTestId('comment');
  const ofTheApp = (): Locator => comments().and(page.locator('[data-author="trainyard[bot]"]'));
  const comment = async (role: Role, text: string): Promise<void> => {
    await page.getByTestId('comment-as').selectOption(role);
    await page.getByTestId('comment-box').fill(text);
    await page.getByTestId('comment-submit').click();
  };

  const shoot = async (): Promise<void> => {
    const path = process.env['UPDATE_SCREENSHOT'] === undefined ? join(dataDir, 'p.png') : picture;
    await mkdir(dirname(path), { recursive: true });
    await page.mouse.move(0, 0);
    // Down to the checks: what is typed next is no part of the story.
    const box = await page.locator('.composer').boundingBox();
    const clip = { x: 0, y: 0, width: viewport.width, height: Math.floor(box?.y ?? 0) };
    await page.screenshot({ path, clip, fullPage: true, animations: 'disabled' });
    expect((await stat(path)).size).toBeLessThan(450 * 1024);
  };

  it('shows a run from the command to the green check, in one comment and without a reload', async () => {
    await page.evaluate('window.notReloaded = true');
    await comment('owner', '/train gpu=T4');
    await comments().locator('[data-testid=reaction][data-content=eyes]').waitFor();

    const firstLines = new Set<string>();
    await eventually('the card to say "Trained"', async () => {
      const lines = await ofTheApp().locator('.markdown > p:first-child').allInnerTexts();
      for (const line of lines) {
        if (/^(Not started|Failed)/.test(line)) throw new Error(line);
        firstLines.add(line);
      }
      return lines.find((line) => line.startsWith('Trained'));
    }).catch(async (error: unknown) => {
      const seen = [...(await comments().allInnerTexts()), ...appLines.slice(-20)].join('\n');
      throw new Error(`The page and the App said:\n${seen}`, { cause: error });
    });
    // What was to be seen on the way.
    expect(firstLines.size).toBeGreaterThan(2);
    const check = page.getByTestId('check').and(page.locator('[data-conclusion=success]'));
    await check.waitFor();
    await page.getByRole('heading', { name: 'All checks have passed' }).waitFor();
    const lines = ofTheApp().locator('.diagram[data-state=drawn] svg path[stroke="#2f81f7"]');
    await lines.waitFor();

    expect(await ofTheApp().count()).toBe(1);
    expect(await ofTheApp().innerText()).toMatch(/val_accuracy\s+0\.9/);
    expect(await ofTheApp().innerText()).toMatch(
      /val_accuracy: main \(grey\) from .* this run \(blue\)/,
    );
    expect(await check.innerText()).toMatch(/val_accuracy 0\.9/);
    expect(await page.evaluate('window.notReloaded')).toBe(true);
    await shoot();
  });

  it('explains the check on a page of its own', async () => {
    await page.getByRole('link', { name: /Details/ }).click();
    await page.locator('.run-output .diagram[data-state=drawn] svg').waitFor();
    expect(await page.locator('.run-output').innerText()).toMatch(/val_accuracy/);
    const more = page.getByRole('link', { name: /^View more details on/ });
    expect(await more.getAttribute('href')).toMatch(/\/acme\/digits\/pull\/1#issuecomment-\d+$/);
    await more.click();
    await ofTheApp().first().waitFor();
  });

  it.each([
    ['reader', 'rae'],
    ['stranger', 'sam'],
  ] as const)('refuses the same from a %s in words, and starts nothing', async (role, login) => {
    const olivia = personAt(sandbox);
    const [answered, jobs, builds] = [
      await ofTheApp().count(),
      await olivia.jobs(),
      await olivia.builds(),
    ];
    await comment(role, '/train gpu=T4');
    await comments()
      .and(page.locator(`[data-author="${login}"]`))
      .waitFor();
    const refusal = ofTheApp().nth(answered);
    await refusal.waitFor();
    expect(await refusal.innerText()).toMatch(/Not started.*Only people with write access/);

    expect(await olivia.jobs()).toHaveLength(jobs.length);
    expect(await olivia.builds()).toHaveLength(builds.length);
    expect(await olivia.checks(await olivia.head())).toHaveLength(1);
    expect(await page.getByTestId('check').count()).toBe(1);
  });

  it('gave the browser nothing to complain about, and GitHub nothing malformed', () => {
    expect(complaints).toEqual([]);
    expect(sandbox.violations).toEqual([]);
  });
});
