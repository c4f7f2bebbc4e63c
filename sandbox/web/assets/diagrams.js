// @ts-check
/**
 * Draws mermaid's diagrams, each once per text. The library is large and comes when the first diagram does.
 * @see https://mermaid.js.org/config/usage.html
 */
import { plainSvg } from './plain-svg.js';

/**
 * @typedef {object} Mermaid
 * @property {(settings: Record<string, unknown>) => void} initialize
 * @property {(id: string, source: string) => Promise<{ svg: string }>} render
 */

/**
 * What a diagram's own text may not set: mermaid's list, HTML and style sheets besides.
 * @see https://mermaid.js.org/config/directives.html#changing-security-level
 */
const settingsOfThePage = [
  'secure',
  'securityLevel',
  'startOnLoad',
  'maxTextSize',
  'suppressErrorRendering',
  'maxEdges',
  'htmlLabels',
  'themeCSS',
  'dompurifyConfig',
];

const dark = window.matchMedia('(prefers-color-scheme: dark)');
/** @type {Promise<Mermaid> | undefined} */
let library;
let drawings = 0;
/** One after the other: mermaid keeps state between calls. */
let queue = Promise.resolve();

dark.addEventListener('change', () => {
  for (const picture of document.querySelectorAll('.diagram[data-drawn]')) {
    picture.removeAttribute('data-drawn');
  }
  drawDiagrams(document);
});

/** @param {ParentNode} root */
export function drawDiagrams(root) {
  for (const element of root.querySelectorAll('.diagram')) {
    if (element instanceof HTMLElement && element.dataset['drawn'] !== element.dataset['diagram']) {
      queue = queue.then(() => draw(element));
    }
  }
}

/** @param {HTMLElement} element */
async function draw(element) {
  const version = element.dataset['diagram'] ?? '';
  const source = element.querySelector('.mermaid')?.textContent ?? '';
  const picture = element.querySelector('.picture');
  if (picture === null || !element.isConnected || element.dataset['drawn'] === version) return;
  // Also when it fails, so that it is not tried once a second; the text is then shown instead.
  element.dataset['drawn'] = version;
  try {
    const mermaid = await (library ??= load());
    mermaid.initialize({
      startOnLoad: false,
      securityLevel: 'strict',
      htmlLabels: false,
      secure: settingsOfThePage,
      suppressErrorRendering: true,
      theme: dark.matches ? 'dark' : 'default',
      themeVariables: themeVariables(),
      fontFamily: 'inherit',
      xyChart: { width: 640, height: 360 },
    });
    drawings += 1;
    const { svg } = await mermaid.render(`diagram-${drawings}`, withoutTags(source));
    const drawn = plainSvg(svg);
    if (drawn === undefined) throw new Error('mermaid returned no drawing');
    picture.replaceChildren(drawn);
    element.dataset['state'] = 'drawn';
  } catch {
    picture.replaceChildren();
    element.dataset['state'] = 'failed';
  }
}

/**
 * A diagram's labels are text, in which an HTML tag shows as it was typed. Line breaks and the stereotypes of
 * class diagrams (`<<interface>>`) are mermaid's own.
 * @param {string} source
 * @see https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters
 */
function withoutTags(source) {
  return source.replace(/<(?=[a-z/!?])(?!br\s*\/?>)/gi, (tag, at) =>
    /^<<\w+>>/.test(source.slice(Math.max(0, at - 1), at + 80)) ? tag : '#lt;',
  );
}

/** Diagrams that ask for the base theme bring colours for white paper; these are for the page. */
function themeVariables() {
  const style = getComputedStyle(document.documentElement);
  const text = style.getPropertyValue('--text').trim();
  const background = style.getPropertyValue('--page').trim();
  const axes = ['xAxisLabelColor', 'xAxisTitleColor', 'xAxisTickColor', 'xAxisLineColor'];
  const colours = [...axes, ...axes.map((name) => name.replace('xAxis', 'yAxis')), 'titleColor'];
  return {
    darkMode: dark.matches,
    background,
    xyChart: {
      backgroundColor: 'transparent',
      ...Object.fromEntries(colours.map((name) => [name, text])),
    },
  };
}

/** @returns {Promise<Mermaid>} */
function load() {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = '/-/assets/mermaid.js';
    script.onload = () =>
      resolve(/** @type {{ mermaid: Mermaid }} */ (/** @type {unknown} */ (window)).mermaid);
    script.onerror = () => {
      library = undefined;
      reject(new Error('mermaid could not be loaded'));
    };
    document.head.append(script);
  });
}
