/** What a phone shows of the Apps' tables and headings, in a real browser. Skipped, saying so, where there is none. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { chromium, type Browser, type Page } from 'playwright-core';
import { createCheck, startFakeGitHub, type FakeGitHub } from './fake-github.ts';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const hasChromium = existsSync(executablePath);
if (!hasChromium) process.stderr.write(`skipped: the page on a phone (no ${executablePath})\n`);
/** A directory to leave pictures of the page in; none are taken without it. */
const screenshots = process.env['SCREENSHOTS'];
const onPhone = hasChromium ? it : it.skip;

const status = `### Runs of this pull request

| run | state | val_accuracy | commit | machine | duration | cost | by |
|---|---|--:|---|---|---|--:|---|
| \`k7q2\` | succeeded | 0.961 | \`3f2c1ab\` | n1-standard-4 | 6m 12s | $0.06 | @olivia |
| \`m3x9\` | cancelled | | \`90a1b2c\` | n1-standard-8 with a T4 | 1m 02s | $0.02 | @wes |
`;

/** The words of which letters stand on more than one line; a word that ends in a hyphen may end its line. */
const brokenWords = `[...document.querySelectorAll('td, th, h1, h2, h3, .check-name')].flatMap((place) => {
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  const broken = [];
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    for (const { index, 0: word } of node.data.matchAll(/[\\w.$]+/g)) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
      if (lines.size > 1) broken.push(word);
    }
  }
  return broken;
})`;
const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
const hiddenOfTable = `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(
  document.querySelector('.markdown table'),
)`;

let github: FakeGitHub;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  if (!hasChromium) return;
  github = await startFakeGitHub();
  github.addComment('trainyard[bot]', status);
  const output = { title: 'val_accuracy 0.961', summary: status, text: null };
  const button = (label: string): { label: string; description: string; identifier: string } => ({
    ...{ label, description: label, identifier: label.toLowerCase() },
  });
  github.state.checks = [
    createCheck({
      ...{ name: 'trainyard/train', status: 'completed', conclusion: 'success', output },
      actions: [button('Logs'), button('Retry')],
    }),
  ];
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  page.setDefaultTimeout(120_000);
  await page.context().addCookies([{ name: 'sandbox_as', value: 'writer', url: github.url }]);
});
afterAll(async () => {
  if (!hasChromium) return;
  await browser.close();
  await github.close();
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [name, path] of [
    ['conversation', '/acme/digits/pull/1'],
    ['check', '/acme/digits/runs/77'],
  ] as const) {
    onPhone(`breaks no word of a ${name} on a ${colorScheme} phone; tables scroll`, async () => {
      await page.emulateMedia({ colorScheme });
      await page.goto(github.url + path);
      await page.locator('.markdown table').waitFor();
      if (name === 'check') await page.getByRole('button', { name: 'Re-run' }).waitFor();
      expect(await page.evaluate(brokenWords)).toEqual([]);
      expect(await page.evaluate(overflow)).toBe(0);
      expect(await page.evaluate(hiddenOfTable)).toBeGreaterThan(0);
      if (screenshots === undefined) return;
      await mkdir(screenshots, { recursive: true });
      const file = join(screenshots, `phone-${name}-${colorScheme}.png`);
      await page.screenshot({ path: file, fullPage: true });
    });
  }
}
