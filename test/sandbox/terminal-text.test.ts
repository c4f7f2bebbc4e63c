/** What a terminal shows of a comment and of the App's log. */
import { describe, expect, it } from '@jest/globals';
import { readableAppLine } from '../../sandbox/app-line.ts';
import { toTerminalText } from '../../sandbox/terminal-text.ts';

describe('a comment in a terminal', () => {
  it.each([
    ['**Trained** `3f2c1ab`: _0.96_', 'Trained 3f2c1ab: 0.96'],
    ['## Title\n\ntext<br>more', 'Title\n\ntextmore'],
    ['| a | bb |\n| --- | --- |\n| `long` | **1** |', '  a     bb\n  ----  --\n  long  1'],
    ['|  |  |\n| --- | --- |\n| k | v |', '  k  v'],
    ['<details><summary>Log</summary>\n\nx\n\n</details>', 'Log\n\nx'],
    ['a\n<!-- trainyard:run v1 id=x -->', 'a'],
    ['```mermaid\nxychart-beta\n```\n\nin words', 'in words'],
    ['first\n\nloss (blue)\n\n```mermaid\nxychart-beta\n```\n\nlast', 'first\n\nlast'],
    ['```\nline <b>\n```', '  line <b>'],
    [
      '[Job](https://a.example/j) and <https://b.example>',
      'Job (https://a.example/j) and https://b.example',
    ],
    ['- one\n- two\n  - three', '- one\n- two\n\n  - three'],
    ['> quoted', '  quoted'],
    ['&#27;[2J \u001b]0;title\u0007\u202egnp', '\ufffd[2J  ]0;title  gnp'],
  ])('%j is %j', (markdown, text) => {
    expect(toTerminalText(markdown)).toBe(text);
  });
});

describe('a line of the App’s log', () => {
  it.each([
    ['{"level":30,"time":1,"msg":"ready"}', undefined],
    ['{"level":40,"time":1,"msg":"slow","ms":9}', 'warning: slow {"ms":9}'],
    ['{"level":60,"msg":"gone"}', 'error: gone'],
    ['Error: no JSON', 'Error: no JSON'],
    ['{"level":50,"msg":"\\u001b[31mred"}', 'error:  [31mred'],
  ])('%j is %j', (line, text) => {
    expect(readableAppLine(line)).toBe(text);
  });
});
