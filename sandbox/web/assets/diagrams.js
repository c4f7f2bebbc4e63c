// @ts-check
/**
 * Draws mermaid's diagrams, each once per text. The library is large and comes when the first diagram does.
 * @see https://mermaid.js.org/config/usage.html
 */

/**
 * @typedef {object} Mermaid
 * @property {(settings: Record<string, unknown>) => void} initialize
 * @property {(id: string, source: string) => Promise<{ svg: string }>} render
 */

/**
 * What a diagram's own text may not set: mermaid's list, and style sheets besides.
 * @see https://mermaid.js.org/config/directives.html#changing-security-level
 */
const settingsOfThePage = [
  'secure',
  'securityLevel',
  'startOnLoad',
  'maxTextSize',
  'suppressErrorRendering',
  'maxEdges',
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
      secure: settingsOfThePage,
      suppressErrorRendering: true,
      theme: dark.matches ? 'dark' : 'default',
      themeVariables: themeVariables(),
      fontFamily: 'inherit',
    });
    drawings += 1;
    const { svg } = await mermaid.render(`diagram-${drawings}`, source);
    // Mermaid has cleaned it: see securityLevel.
    picture.innerHTML = svg;
    element.dataset['state'] = 'drawn';
  } catch {
    picture.replaceChildren();
    element.dataset['state'] = 'failed';
  }
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
