// @ts-check
/** Keeps a page up to date: asks once a second and changes only what has changed. */
import { startCommentForm } from './comment-form.js';
import { drawDiagrams } from './diagrams.js';
import { morphChildren } from './morph.js';
import { showRelativeTimes } from './times.js';

const pollMs = 1_000;
/** Nobody looks at a page in the background; it catches up when somebody does. */
const hiddenPollMs = 10_000;
const maxPauseMs = 15_000;

const live = document.body.dataset['live'];
let etag = '';
let failures = 0;
/** @type {Promise<void> | undefined} */
let asking;
/** @type {number | undefined} */
let timer;

async function ask() {
  if (live === undefined) return;
  try {
    const response = await fetch(live, {
      cache: 'no-store',
      headers: { accept: 'application/json', ...(etag === '' ? {} : { 'if-none-match': etag }) },
    });
    if (response.status === 200) {
      show((await response.json()).regions);
      etag = response.headers.get('etag') ?? '';
    }
    failures = response.ok || response.status === 304 ? 0 : failures + 1;
  } catch {
    failures += 1;
  }
  document.body.classList.toggle('disconnected', failures > 3);
}

/** @param {Record<string, string>} regions */
function show(regions) {
  const before = commentIds();
  for (const [id, html] of Object.entries(regions)) {
    const element = document.getElementById(id);
    if (element !== null) morphChildren(element, html);
  }
  showRelativeTimes(document);
  drawDiagrams(document);
  announce(before);
}

function commentIds() {
  return new Set([...document.querySelectorAll('[data-comment-id]')].map((one) => one.id));
}

/**
 * Tells those who do not see the page that somebody has answered.
 * @param {ReadonlySet<string>} before
 */
function announce(before) {
  const fresh = [...document.querySelectorAll('[data-comment-id]')].filter(
    (one) => !before.has(one.id),
  );
  const status = document.getElementById('announcement');
  const author = fresh.at(-1)?.getAttribute('data-author');
  if (status !== null && author) status.textContent = `New comment by ${author}`;
}

/** Asks now, also when a question is under way: that one may have been put too early. */
async function refresh() {
  await asking;
  asking = ask();
  await asking;
  schedule();
}

function schedule() {
  window.clearTimeout(timer);
  const pause = document.hidden ? hiddenPollMs : Math.min(maxPauseMs, pollMs * 2 ** failures);
  timer = window.setTimeout(() => void refresh(), pause);
}

showRelativeTimes(document);
drawDiagrams(document);
startCommentForm(refresh);
window.setInterval(() => showRelativeTimes(document), 10_000);
if (live !== undefined) {
  document.addEventListener('visibilitychange', () => void refresh());
  schedule();
}
