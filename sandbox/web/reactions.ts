/**
 * Reactions to a comment: the API's counts in, a row of small pictures out. They are drawn here because
 * not every machine has a font with emoji.
 */
import type { Comment } from './api.ts';
import { html, type Html } from './html.ts';

const skin = '#ffcc4d';
const ink = '#664500';
const disc = html`<circle cx="8" cy="8" r="7" fill="${skin}" />`;
const thumb = html`<path
  d="M5.5 7 8 2.2c.3-.7 2-.5 2 1V6h3.2c1 0 1.6.9 1.3 1.8l-1.3 4.6c-.2.7-.8 1.1-1.5 1.1H5.5ZM1.5 7H4v6.5H1.5Z"
  fill="${skin}"
  stroke="${ink}"
  stroke-width=".6"
/>`;
const pupils = html`<circle cx="5.5" cy="6.5" r="1" fill="${ink}" /><circle
    cx="10.5"
    cy="6.5"
    r="1"
    fill="${ink}"
  />`;

/** @see https://docs.github.com/en/rest/reactions/reactions#about-reactions */
const pictures: readonly (readonly [content: string, picture: Html])[] = [
  ['+1', thumb],
  ['-1', html`<g transform="rotate(180 8 8)">${thumb}</g>`],
  ['laugh', html`${disc}${pupils}<path d="M4 9h8a4 4 0 0 1-8 0Z" fill="${ink}" />`],
  [
    'hooray',
    html`<path d="M1.5 14.5 5 5.5l5.5 5.5Z" fill="#dd8c1e" /><path
        d="M8 7c2-1 1-3 2.5-4M9.5 8.5c1.5-1.5 3-.5 4.5-1.5"
        fill="none"
        stroke="#4aa3df"
        stroke-width="1.2"
      /><circle cx="6.5" cy="2.5" r="1" fill="#dd2e44" /><circle
        cx="13.5"
        cy="3.5"
        r="1"
        fill="#3fb950"
      /><circle cx="13" cy="11.5" r="1" fill="#a371f7" />`,
  ],
  [
    'confused',
    html`${disc}${pupils}<path
        d="M5 11.5c1.5-1.5 3.5-1.8 5.5-1.3"
        fill="none"
        stroke="${ink}"
        stroke-width="1.2"
        stroke-linecap="round"
      />`,
  ],
  ['heart', html`<path d="M8 14.3C-2.5 7.5 3-.5 8 4.2 13-.5 18.5 7.5 8 14.3Z" fill="#dd2e44" />`],
  [
    'rocket',
    html`<path
        d="M14.5 1.5c-4 0-7 2-8.7 5.2L2.5 7.5 1.8 9.8l4.4 4.4 2.3-.7.8-3.3c3.2-1.7 5.2-4.7 5.2-8.7Z"
        fill="#9aa7b4"
        stroke="#57606a"
        stroke-width=".6"
      /><circle cx="10.3" cy="5.7" r="1.5" fill="#4aa3df" /><path
        d="M4.3 11.7 1 15l3.8-1Z"
        fill="#f4900c"
      />`,
  ],
  [
    'eyes',
    html`<g fill="#fff" stroke="#57606a" stroke-width=".7"
        ><ellipse cx="4.5" cy="8" rx="3.2" ry="5" /><ellipse cx="11.5" cy="8" rx="3.2" ry="5" /></g
      ><circle cx="3.6" cy="8.7" r="1.7" fill="#1f2328" /><circle
        cx="10.6"
        cy="8.7"
        r="1.7"
        fill="#1f2328"
      />`,
  ],
];

/** Nothing when nobody has reacted. */
export function renderReactions({ reactions }: Comment): Html | undefined {
  const given = pictures.flatMap(([content, picture]) => {
    const number = Number(reactions?.[content] ?? 0);
    if (!(number > 0)) return [];
    return [
      html`<li data-testid="reaction" data-content="${content}" title="${content}">
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">${picture}</svg
        ><span class="visually-hidden">${content}: </span>${number}
      </li>`,
    ];
  });
  if (given.length === 0) return undefined;
  return html`<ul class="reactions" aria-label="Reactions">
    ${given}
  </ul>`;
}
