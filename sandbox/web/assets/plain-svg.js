// @ts-check
/**
 * What a drawn diagram may be made of: shapes, text and style of its own. Mermaid cleans what it draws, but
 * leaves HTML, images and links in it, and this page shows none of these in what somebody wrote.
 */

const shapes = 'svg g path rect circle ellipse line polyline polygon text tspan title desc switch';
const definitions = 'defs marker clipPath mask pattern linearGradient radialGradient stop symbol';
const effects =
  'filter feDropShadow feGaussianBlur feOffset feFlood feComposite feMerge feMergeNode';
const elements = new Set(`${shapes} ${definitions} ${effects} use style`.toLowerCase().split(' '));

/**
 * The drawing, or undefined when there is none in the text.
 * @param {string} text as mermaid returns it
 * @returns {SVGElement | undefined}
 */
export function plainSvg(text) {
  // Parsed apart from the page, where nothing of it is loaded or run.
  const svg = new DOMParser().parseFromString(text, 'text/html').querySelector('svg');
  if (svg === null) return undefined;
  clean(svg);
  for (const style of svg.querySelectorAll('style')) {
    style.textContent = ownRules(style.textContent ?? '', `#${svg.id}`);
  }
  return svg;
}

/** @param {Element} element */
function clean(element) {
  for (const { name, value } of [...element.attributes]) {
    if (!isPlain(name.toLowerCase(), value)) element.removeAttribute(name);
  }
  for (const child of [...element.children]) {
    if (child.localName === 'a') unwrap(child, element);
  }
  for (const child of [...element.children]) {
    if (elements.has(child.localName.toLowerCase())) clean(child);
    else child.remove();
  }
}

/**
 * What was a link stays as a shape.
 * @param {Element} link
 * @param {Element} parent
 */
function unwrap(link, parent) {
  for (const child of [...link.childNodes]) parent.insertBefore(child, link);
  link.remove();
}

/**
 * @param {string} name
 * @param {string} value
 */
function isPlain(name, value) {
  if (name.startsWith('on')) return false;
  if (name === 'href' || name === 'xlink:href') return value.startsWith('#');
  return pointsInside(value);
}

/**
 * Style that names nothing outside of the document. A backslash could spell "url" in another way.
 * @param {string} style
 */
function pointsInside(style) {
  return !style.includes('\\') && !/url\(\s*["']?(?!#)|image-set\(|image\(/i.test(style);
}

/**
 * The rules that are about this drawing alone. Mermaid puts its id before each of its own; a rule that a
 * diagram's text smuggled in has none.
 * @param {string} style
 * @param {string} scope
 */
function ownRules(style, scope) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  const own = [...sheet.cssRules].filter(
    (rule) => isScoped(rule, scope) && pointsInside(rule.cssText),
  );
  return own.map(({ cssText }) => cssText).join('\n');
}

/**
 * @param {CSSRule} rule
 * @param {string} scope
 */
function isScoped(rule, scope) {
  if (rule instanceof CSSKeyframesRule) return true;
  if (!(rule instanceof CSSStyleRule)) return false;
  return rule.selectorText.split(',').every((selector) => selector.trim().startsWith(scope));
}
