/** The page in a real browser, as somebody uses it. Skipped, saying so, where there is no Chromium. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chromium, type Browser, type Page } from 'playwright-core';
import { hostileComments, hostileDiagrams, ordinaryDiagrams } from './hostile.ts';
import { createCheck, createPull, startFakeGitHub, type FakeGitHub } from './fake-github.ts';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const hasChromium = existsSync(executablePath);
if (!hasChromium) {
  process.stderr.write(`skipped: the page in a browser (no ${executablePath})\n`);
}
/** A directory to leave pictures of the page in; none are taken without it. */
const screenshots = process.env['SCREENSHOTS'];

const none = { title: null, summary: null, text: null };

const chart = (points: string): string =>
  [
    '```mermaid',
    '%%{init: {"theme": "base", "themeVariables": {"xyChart": {"plotColorPalette": "#2f81f7, #db6d28"}}}}%%',
    'xychart-beta',
    '  x-axis "step" 1 --> 4',
    '  y-axis 0 --> 1',
    `  line [${points}]`,
    '```',
  ].join('\n');

const card = (first: string, points = '0.9, 0.5, 0.3, 0.1'): string =>
  `${first}\n\n| metric | value |\n|---|---|\n| \`val_accuracy\` | **0.961** |\n\n\`loss\` from 0.900 to 0.118\n\n${chart(points)}\n\n[Logs](http://127.0.0.1:9/) · [Job](http://127.0.0.1:9/)\n\n<details><summary>Parameters</summary>\n\n| | |\n|---|---|\n| commit | \`3f2c1ab\` |\n\n</details>\n\nRun \`k7q2\` · sandbox\n<!-- marker -->\n`;

(hasChromium ? describe : describe.skip)('the pull request page in Chromium', () => {
  let github: FakeGitHub;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const foreign: string[] = [];

  beforeAll(async () => {
    github = await startFakeGitHub();
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    page = await browser.newPage({ viewport: { width: 1280, height: 1100 } });
    page.setDefaultTimeout(120_000);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(github.url)) foreign.push(request.url());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${github.url}/`);
  });
  afterAll(async () => {
    await browser.close();
  });

  const shoot = async (name: string): Promise<void> => {
    if (screenshots === undefined) return;
    await mkdir(screenshots, { recursive: true });
    await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
  };

  it('lists a pull request as soon as it is opened', async () => {
    github.state.pulls.push(createPull({ number: 2, title: 'More layers' }));
    await page.getByRole('link', { name: 'More layers' }).waitFor();
    await page.getByRole('link', { name: '0 Closed' }).click();
    await page.getByText('There are no closed pull requests.').waitFor();
    github.state.pulls[1]!.state = 'closed';
    await page.getByRole('link', { name: 'More layers' }).click();
    await page.getByText('wanted to merge').waitFor();
    // What is gone is said, and where to go from there.
    github.state.pulls.pop();
    await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
    expect(complaints.splice(0).every((text) => text.includes('404'))).toBe(true);
    await page.getByRole('link', { name: 'Back to the pull requests' }).click();
  });

  it('leads from / to the pull request', async () => {
    await shoot('list');
    await page.getByRole('link', { name: 'Tune the learning rate' }).click();
    await page.getByTestId('comment-box').waitFor();
    expect(page.url()).toBe(`${github.url}/acme/digits/pull/1`);
    expect(await page.getByTestId('comment-submit').isDisabled()).toBe(true);
  });

  it('shows a comment that was typed, without a reload', async () => {
    await page.evaluate('window.notReloaded = true');
    await page.getByTestId('comment-as').selectOption('writer');
    await page.getByTestId('comment-box').fill('/train gpu=T4');
    await page.getByTestId('comment-submit').click();
    await page.locator('[data-testid=comment][data-author=wes]').waitFor();
    expect(github.requests).toContain('POST /repos/acme/digits/issues/1/comments wes');
    expect(await page.getByTestId('comment-box').inputValue()).toBe('');
    expect(await page.evaluate('window.notReloaded')).toBe(true);
  });

  it('needs no mouse', async () => {
    await page.reload();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
    await page.keyboard.press('Enter');
    const focused = page.locator(':focus');
    for (let i = 0; i < 40; i++) {
      if ((await focused.getAttribute('id')) === 'comment-body') break;
      await page.keyboard.press('Tab');
    }
    await page.keyboard.type('typed by hand');
    await page.keyboard.press('Tab');
    expect(await focused.getAttribute('id')).toBe('comment-as');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Control+Enter');
    await page.locator('[data-testid=comment]', { hasText: 'typed by hand' }).waitFor();
    expect(await page.locator('#announcement').textContent()).toBe('New comment by wes');
    expect(await focused.getAttribute('id')).toBe('comment-body');
    github.state.comments.pop();
  });

  it('names every control and every comment for those who do not see it', async () => {
    const outline = await page.locator('main').ariaSnapshot();
    expect(outline.match(/- (button|link|textbox|combobox) "/g)?.length).toBeGreaterThan(8);
    expect(outline).not.toMatch(/- (button|link|textbox|combobox)(?! ")/);
    await page.getByRole('article', { name: 'Comment by wes' }).first().waitFor();
    await page.getByRole('textbox', { name: 'Comment' }).waitFor();
    await page.getByRole('combobox', { name: 'Comment as' }).waitFor();
    expect(await page.getByText(/sandbox/i).count()).toBe(1);
  });

  it('keeps what a person does while the card is edited below their hands', async () => {
    const comment = github.addComment('trainyard[bot]', card('**Training** `3f2c1ab` · 4 min'));
    github.state.comments[0]!.reactions = { eyes: 1 };
    github.state.checks.push(createCheck());
    const bot = page.locator('[data-testid=comment][data-author="trainyard[bot]"]');
    await bot.locator('.picture svg').waitFor();
    await shoot('running');
    await bot.locator('summary').click();
    await page.getByTestId('comment-box').pressSequentially('half a thou');
    const drawn = await bot.locator('.picture svg').getAttribute('id');

    comment.body = card('**Trained** `3f2c1ab`: val_accuracy **0.961** · 6m 12s · $0.06');
    comment.updated_at = new Date(Date.now() + 1_000).toISOString();
    Object.assign(
      github.state.checks[0]!,
      createCheck({
        status: 'completed',
        conclusion: 'success',
        completed_at: new Date().toISOString(),
        output: { title: 'val_accuracy 0.961 (+0.004)', summary: card('**Trained**'), text: null },
      }),
    );
    await page
      .locator('[data-testid=check][data-status=completed][data-conclusion=success]')
      .waitFor();
    expect(await bot.innerText()).toContain('Trained');
    expect(await bot.locator('details').getAttribute('open')).not.toBeNull();
    expect(await bot.locator('.picture svg').getAttribute('id')).toBe(drawn);
    const box = page.getByTestId('comment-box');
    expect(await box.inputValue()).toBe('half a thou');
    expect(await page.evaluate('document.activeElement.id')).toBe('comment-body');
    await shoot('done');
  });

  it('draws a diagram again when its text has changed, and shows the text when it cannot', async () => {
    const bot = page.locator('[data-testid=comment][data-author="trainyard[bot]"]');
    const drawn = await bot.locator('.picture svg').getAttribute('id');
    github.state.comments[1]!.body = card('**Trained**', '0.1, 0.2, 0.3, 0.4');
    await bot.locator(`.picture svg:not([id="${drawn ?? ''}"])`).waitFor();
    github.addComment('sam', '```mermaid\nnot a diagram <img src=x onerror=alert(1)>\n```');
    const broken = page.locator('[data-author=sam] .diagram[data-state=failed]');
    await broken.waitFor();
    expect(await broken.innerText()).toContain('not a diagram');
  });

  it('shows a preview, the other tabs and a check of its own page', async () => {
    await page.getByTestId('comment-box').fill('some **bold** text');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.locator('#comment-preview strong').waitFor();
    await page.getByRole('button', { name: 'Write' }).click();
    await page.getByTestId('comment-box').fill('');
    await page.getByRole('link', { name: /Commits/ }).click();
    await page.getByTestId('commit').waitFor();
    await shoot('commits');
    await page.getByRole('link', { name: /Checks/ }).click();
    await page.getByRole('link', { name: /Details/ }).click();
    await page.locator('.run-output .picture svg').waitFor();
    await shoot('check');
    await page.getByRole('link', { name: 'Pull request #1' }).click();
    await page.getByTestId('comment-box').waitFor();
    expect(await page.getByTestId('comment-as').inputValue()).toBe('writer');
  });

  it('fits a phone and a dark room', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.locator('[data-author="trainyard[bot]"] .picture svg').waitFor();
    await shoot('dark');
    await page.setViewportSize({ width: 390, height: 844 });
    const wide = 'w'.repeat(300);
    const pull = github.state.pulls[0]!;
    const { title, head } = pull;
    Object.assign(pull, { title: wide, head: { ...head, ref: wide } });
    github.state.checks.push(createCheck({ id: 78, name: wide, output: { ...none, title: wide } }));
    github.addComment(
      'sam',
      `${wide} \`${wide}\`\n\n|${wide}|${wide}|\n|-|-|\n|1|2|\n\n    ${wide}\n\n- ${wide}`,
    );
    await page.locator('h1', { hasText: wide }).waitFor();
    for (const width of [390, 320]) {
      await page.setViewportSize({ width, height: 844 });
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(overflow).toBe(0);
    }
    await shoot('wide');
    Object.assign(pull, { title, head });
    github.state.checks.pop();
    github.state.comments.pop();
    await page.locator('h1', { hasText: title }).waitFor();
    await shoot('phone');
  });

  it('draws what people draw', async () => {
    const fenced = ordinaryDiagrams.map(([source]) => `\`\`\`mermaid\n${source}\n\`\`\``);
    github.addComment('rae', fenced.join('\n\n'));
    const drawn = page.locator('[data-author=rae] .diagram[data-state=drawn] svg');
    await drawn.nth(ordinaryDiagrams.length - 1).waitFor();
    for (const [i, [, text]] of ordinaryDiagrams.entries()) {
      expect(await drawn.nth(i).textContent()).toContain(text);
    }
    await shoot('diagrams');
  });

  it('does nothing for hostile comments', async () => {
    const bodies = [
      ...Object.values(hostileComments),
      ...hostileDiagrams.map((text) => `\`\`\`mermaid\n${text}\n\`\`\``),
    ];
    for (const body of bodies) github.addComment('sam', body);
    github.addComment('sam', 'the last one');
    await page.reload();
    await page.getByText('the last one').waitFor();
    await page.locator('.diagram:not([data-state])').first().waitFor({ state: 'detached' });
    expect(await page.evaluate('typeof window.hacked')).toBe('undefined');
    expect(await page.locator('form, iframe, object, embed').count()).toBe(1);
    expect(await page.getByTestId('comment-submit').count()).toBe(1);
    expect(await page.getByTestId('check').count()).toBe(1);
    const dangerous = 'img, script, foreignObject, image, [onclick], [onerror], svg a';
    expect(await page.locator(`.markdown :is(${dangerous})`).count()).toBe(0);
    expect(await page.locator('.picture svg').count()).toBeGreaterThan(hostileDiagrams.length / 2);
    expect(await page.getByTestId('comment-box').isVisible()).toBe(true);
    expect(page.url()).toBe(`${github.url}/acme/digits/pull/1`);
  });

  it('has the buttons of a check for those who may write', async () => {
    const cancel = { label: 'Cancel', description: 'Stop it', identifier: 'cancel' };
    github.state.checks = [createCheck({ actions: [cancel] })];
    const back = page.url();
    await page.context().addCookies([{ name: 'sandbox_as', value: 'writer', url: github.url }]);
    await page.goto(`${github.url}/acme/digits/runs/77`);
    await page.getByRole('button', { name: 'Cancel' }).click();
    const told = page.getByRole('status').filter({ hasText: 'Cancel: The App was told.' });
    await told.waitFor();
    expect(github.pressed).toEqual(['77 cancel writer']);
    // Where the eye is: above the check, not below all that it has to say.
    const buttons = await page.getByRole('group', { name: 'Actions' }).boundingBox();
    expect((await told.boundingBox())?.y).toBeLessThan(buttons?.y ?? 0);
    const answer = told.getByRole('link', { name: 'conversation' });
    expect(await answer.getAttribute('href')).toBe('/acme/digits/pull/1');
    await shoot('check');
    await page.context().addCookies([{ name: 'sandbox_as', value: 'reader', url: github.url }]);
    await page.getByRole('button', { name: 'Cancel' }).waitFor({ state: 'detached' });
    await page.context().addCookies([{ name: 'sandbox_as', value: 'writer', url: github.url }]);
    await page.goto(back);
  });

  it('loads nothing from elsewhere, and gives the browser nothing to complain about', () => {
    expect(complaints).toEqual([]);
    expect(foreign).toEqual([]);
  });

  it('stays quick in a conversation of 1,500 comments', async () => {
    const removed = github.state.comments.splice(0);
    for (let i = 0; i < 1_500; i++) github.addComment('sam', `comment ${i}\n\n- one\n- **two**`);
    await page.reload();
    await page.getByText('comment 1499').waitFor();
    await page.getByTestId('comment-box').pressSequentially('while it goes on');
    github.addComment('sam', 'one more');
    const startedAt = Date.now();
    await page.getByText('one more').waitFor();
    // A second or two; a busy machine takes several times as long.
    expect(Date.now() - startedAt).toBeLessThan(30_000);
    expect(await page.getByTestId('comment').count()).toBe(1_501);
    expect(await page.getByTestId('comment-box').inputValue()).toBe('while it goes on');
    github.state.comments.splice(0, Infinity, ...removed);
  });

  it('says so when the sandbox is gone, and keeps what was typed', async () => {
    await page.getByTestId('comment-box').fill('a long thought');
    await github.close();
    await page.getByTestId('comment-submit').click();
    await page.getByRole('alert').filter({ hasText: 'did not answer' }).waitFor();
    expect(await page.getByTestId('comment-box').inputValue()).toBe('a long thought');
  });
});
