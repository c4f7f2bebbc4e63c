/** A commit's page, small: its message, the files that it changed and their differences, as far as a person reads. */
import type { CommitWithFiles, Repository } from './api.ts';
import { html, type Html } from './html.ts';
import { layout } from './layout.ts';
import { author, count, shortSha, time } from './parts.ts';

const maxFiles = 100;
/** Of all differences together; a file that does not fit any more is named and not shown. */
const maxPatchLength = 200_000;

type ChangedFile = NonNullable<CommitWithFiles['files']>[number];

export function commitPage(commit: CommitWithFiles, repository: Repository): Html {
  const { owner, repo } = repository;
  const [title = '', ...rest] = commit.commit.message.split('\n');
  const name = commit.author?.login ?? commit.commit.author?.name ?? 'somebody';
  const files = commit.files ?? [];
  const { additions = 0, deletions = 0 } = commit.stats ?? {};
  return layout({
    title: `${title} · ${owner}/${repo}@${shortSha(commit.sha)}`,
    repository,
    body: html`<h1 data-testid="commit-title">${title}</h1>
      <pre class="commit-message">${rest.join('\n').trim()}</pre>
      <p class="pull-meta">
        ${author(name)} committed ${time(commit.commit.author?.date ?? '')} ·
        <code>${commit.sha}</code
        >${commit.parents.map((parent) => parentLink(parent.sha, repository))}
      </p>
      <p>
        ${count(files.length, 'changed file')}, ${additions} added and ${deletions} removed lines
      </p>
      ${renderFiles(files)}`,
  });
}

function parentLink(sha: string, { owner, repo }: Repository): Html {
  return html` · parent
    <a href="/${owner}/${repo}/commit/${sha}"><code>${shortSha(sha)}</code></a>`;
}

function renderFiles(files: readonly ChangedFile[]): readonly Html[] {
  let left = maxPatchLength;
  const shown = files.slice(0, maxFiles).map((file) => {
    const patch = file.patch ?? undefined;
    const fits = patch !== undefined && patch.length <= left;
    if (fits) left -= patch.length;
    return renderFile(file, fits ? patch : undefined);
  });
  const hidden = files.length - shown.length;
  return hidden === 0 ? shown : [...shown, html`<p>${count(hidden, 'more file')} not shown.</p>`];
}

function renderFile(file: ChangedFile, patch: string | undefined): Html {
  return html`<section class="box" data-testid="changed-file">
    <h2 class="changed-file">
      <code>${file.filename}</code> ${file.status}, +${file.additions} −${file.deletions}
    </h2>
    ${
      patch === undefined
        ? html`<p class="quiet">Binary, or too large to be shown here.</p>`
        : html`<pre class="diff">${patch.split('\n').map(renderLine)}</pre>`
    }
  </section>`;
}

/** The mark at its start tells what it is, so that nothing is said by colour alone. */
function renderLine(line: string): Html {
  const kind = { '+': 'added', '-': 'removed', '@': 'hunk' }[line.charAt(0)] ?? 'same';
  const whole = `${line}\n`;
  return html`<span class="diff-${kind}">${whole}</span>`;
}
