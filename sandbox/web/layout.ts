/** The frame of every page: what is inside `main` in, a whole document out. */
import type { Repository } from './api.ts';
import { html, type Html } from './html.ts';
import { icon } from './icons.ts';

/** Parts of a page by the id of the element that they fill; the page fetches and refreshes them by it. */
export type Regions = Readonly<Record<string, Html>>;

interface Page {
  readonly title: string;
  readonly repository: Repository;
  readonly body: Html;
  /** Where the page asks once a second whether its regions have changed. */
  readonly live?: string | undefined;
}

/** Below no owner's name: a login cannot begin with a hyphen. */
const assetsPath = '/-/assets';

export function layout({ title, repository, body, live }: Page): Html {
  const { owner, repo } = repository;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="${assetsPath}/favicon.svg">
<link rel="stylesheet" href="${assetsPath}/page.css">
<link rel="stylesheet" href="${assetsPath}/markdown.css">
<script type="module" src="${assetsPath}/page.js"></script>
</head>
<body${live === undefined ? undefined : html` data-live="${live}"`}>
<a class="skip" href="#main">Skip to content</a>
<p class="banner" role="note"><strong>Sandbox</strong> Everything you see is on this machine. Nothing reaches GitHub or Google Cloud.</p>
<header class="top">
${icon('repository')}
<nav aria-label="Repository"><a href="/${owner}/${repo}/pulls">${owner}<span class="slash">/</span><strong>${repo}</strong></a></nav>
<a class="top-tab" href="/${owner}/${repo}/pulls">${icon('pull')} Pull requests</a>
</header>
<main id="main" tabindex="-1">
${body}
</main>
<p id="announcement" class="visually-hidden" role="status" aria-live="polite"></p>
</body>
</html>
`;
}

/** An element that the page keeps up to date. */
export function region(regions: Regions, id: string, className = ''): Html {
  return html`<div id="${id}" class="${className}" data-region>${regions[id]}</div>`;
}

export function problemPage(repository: Repository, title: string, text: string): Html {
  return layout({
    title,
    repository,
    body: html`<div class="problem">
      <h1>${title}</h1>
      <p>${text}</p>
      <p><a href="/">Back to the pull requests</a></p>
    </div>`,
  });
}
