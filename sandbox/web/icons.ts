/** Pictures of the page as inline SVG: icons by name, avatars from initials. All are decoration to a screen reader. */
import { Html, html } from './html.ts';

/** Drawn on a 16 × 16 grid; `line` is stroked, `area` filled. */
const shapes = {
  repository: { line: 'M3.5 13.25V3A1.25 1.25 0 0 1 4.75 1.75H12.5v12.5H4.5a1 1 0 1 1 0-2.25h8' },
  pull: {
    line: 'M4 5.5v5M12 10.5V6.75A2.25 2.25 0 0 0 9.75 4.5H7.5M9.5 2.25 7.25 4.5 9.5 6.75',
    area: 'M4 2a1.75 1.75 0 1 1 0 3.5A1.75 1.75 0 0 1 4 2Zm0 8.5A1.75 1.75 0 1 1 4 14a1.75 1.75 0 0 1 0-3.5Zm8 0a1.75 1.75 0 1 1 0 3.5 1.75 1.75 0 0 1 0-3.5Z',
  },
  comment: { line: 'M2 3.25h12v8H7.5L4.75 13.9v-2.65H2Z' },
  commit: { line: 'M1 8h3.75M11.25 8H15M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6Z' },
  checks: { line: 'M2.25 2.25h11.5v11.5H2.25ZM5 8.25l2.1 2L11 6' },
  success: { line: 'M3 8.5l3.25 3.25L13 4.75' },
  failure: { line: 'M4 4l8 8M12 4l-8 8' },
  neutral: { area: 'M4 6.5h8v3H4Z' },
  cancelled: { line: 'M8 2.25a5.75 5.75 0 1 1 0 11.5 5.75 5.75 0 0 1 0-11.5ZM4 12l8-8' },
  queued: { line: 'M8 4.25a3.75 3.75 0 1 1 0 7.5 3.75 3.75 0 0 1 0-7.5Z' },
  progress: { area: 'M8 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8Z' },
} as const satisfies Record<string, { line?: string; area?: string }>;
export type IconName = keyof typeof shapes;

export function icon(name: IconName, className = ''): Html {
  const shape: { readonly line?: string; readonly area?: string } = shapes[name];
  const line =
    shape.line === undefined
      ? undefined
      : html`<path
          d="${shape.line}"
          fill="none"
          stroke="currentColor"
          stroke-width="1.5"
          stroke-linecap="round"
          stroke-linejoin="round"
        />`;
  const area =
    shape.area === undefined ? undefined : html`<path d="${shape.area}" fill="currentColor" />`;
  return html`<svg
    class="icon ${className}"
    viewBox="0 0 16 16"
    width="16"
    height="16"
    aria-hidden="true"
  >
    ${line}${area}
  </svg>`;
}

/** A round picture with initials for people, a square one for bots; the colour belongs to the login. */
export function avatar(login: string, size = 40): Html {
  const isBot = login.endsWith('[bot]');
  const initials = login
    .replace(/\[bot\]$/, '')
    .slice(0, 2)
    .toUpperCase();
  const hue = Array.from(login).reduce(
    (sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360,
    7,
  );
  const shape = isBot
    ? html`<rect width="40" height="40" rx="8" fill="hsl(${hue} 45% 38%)" />`
    : html`<circle cx="20" cy="20" r="20" fill="hsl(${hue} 45% 42%)" />`;
  return html`<svg
    class="avatar"
    viewBox="0 0 40 40"
    width="${size}"
    height="${size}"
    aria-hidden="true"
  >
    ${shape}
    <text x="20" y="26" text-anchor="middle" font-size="16" font-weight="600" fill="#fff">
      ${initials}
    </text>
  </svg>`;
}
