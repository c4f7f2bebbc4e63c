/** The place to type in: whoever may be spoken as in, the form out. It is outside all regions, so nothing redraws it. */
import type { Repository } from './api.ts';
import { html, type Html } from './html.ts';
import { avatar } from './icons.ts';
import type { Role } from './session.ts';

/** One of those as whom a comment can be written. */
export interface Person {
  readonly role: Role;
  readonly login: string;
  readonly name: string;
}

export interface CommentBox {
  readonly repository: Repository;
  readonly number: number;
  readonly people: readonly Person[];
  readonly role: Role;
  readonly csrfToken: string;
}

export function commentBox({ repository, number, people, role, csrfToken }: CommentBox): Html {
  const action = `/${repository.owner}/${repository.repo}/pull/${number}/comments`;
  const options = people.map(
    (person) =>
      html`<option value="${person.role}" ${person.role === role ? html` selected` : undefined}>
        ${person.name} (${person.role})
      </option>`,
  );
  const avatars = people.map(
    (person) =>
      html`<span data-avatar="${person.role}" ${person.role === role ? undefined : html` hidden`}
        >${avatar(person.login)}</span
      >`,
  );
  return html`<section class="entry composer" aria-labelledby="comment-heading">
    <div class="side">${avatars}</div>
    <form class="box" id="comment-form" data-action="${action}" data-csrf="${csrfToken}">
      <div class="box-head composer-head">
        <h2 id="comment-heading">Add a comment</h2>
        <div class="switch" role="group" aria-label="Editor">
          <button type="button" data-pane="write" aria-pressed="true">Write</button>
          <button type="button" data-pane="preview" aria-pressed="false">Preview</button>
        </div>
      </div>
      <div class="composer-body">
        <label class="visually-hidden" for="comment-body">Comment</label>
        <textarea
          id="comment-body"
          data-testid="comment-box"
          rows="5"
          maxlength="65536"
          placeholder="Leave a comment, such as /train gpu=T4"
          aria-describedby="comment-problem"
        ></textarea>
        <div id="comment-preview" class="markdown" hidden></div>
        <p id="comment-problem" class="form-problem" role="alert" hidden></p>
      </div>
      <div class="composer-foot">
        <label class="speaker"
          >Comment as
          <select id="comment-as" data-testid="comment-as">
            ${options}
          </select></label
        >
        <button
          class="primary"
          type="submit"
          title="Ctrl+Enter"
          aria-keyshortcuts="Control+Enter Meta+Enter"
          data-testid="comment-submit"
          disabled
        >
          Comment
        </button>
      </div>
      <noscript><p class="form-problem">Commenting needs JavaScript.</p></noscript>
    </form>
  </section>`;
}
