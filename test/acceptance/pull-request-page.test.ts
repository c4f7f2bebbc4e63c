/**
 * The demo as a person sees it: the page in a real Chromium, the command typed, the green check waited for.
 * Leaves the picture that the README shows when UPDATE_SCREENSHOT is set.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { startSandbox, type Sandbox } from '../../sandbox/start.ts';

const executablePath = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find(existsSync);
if (executablePath === undefined) {
  process.stderr.write('Skipped: the pull request page is tested where Chromium is installed.\n');
}

(executablePath === undefined ? describe.skip : describe)('the pull request page', () => {
  let sandbox: Sandbox;
  let browser: Browser;
  let dataDir = '';
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'trainyard-page-'));
    sandbox = await startSandbox({ dataDir, port: 0, app: true, realistic: false });
    browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    });
  }, 90_000);
  afterAll(async () => {
    await browser.close();
    await sandbox.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('shows the run from the command to the green check', async () => {
    const { github } = sandbox.description;
    const page = await browser.newPage({ viewport: { width: 1100, height: 1500 } });
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`${github.web}/${github.repo}/pull/${github.pull}`);
    await page.getByTestId('comment-box').fill('/train gpu=T4');
    await page.getByTestId('comment-submit').click();

    const card = page.getByTestId('comment').filter({ hasText: 'Trained' });
    await page
      .getByTestId('check')
      .and(page.locator('[data-conclusion="success"]'))
      .first()
      .waitFor({ timeout: 120_000 });
    await card.last().waitFor({ timeout: 20_000 });
    await page.locator('svg[id^="mermaid"], .mermaid svg').first().waitFor({ timeout: 20_000 });
    expect(await card.last().innerText()).toMatch(/val_accuracy/);
    expect(errors).toEqual([]);
    await page.screenshot({
      path:
        process.env['UPDATE_SCREENSHOT'] === undefined
          ? join(dataDir, 'page.png')
          : 'docs/images/pull-request.png',
      fullPage: true,
    });
  }, 180_000);
});
