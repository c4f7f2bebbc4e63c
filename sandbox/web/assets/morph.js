// @ts-check
/**
 * Changes what is on the page into new HTML while keeping every element that is still there: what a person
 * has opened stays open, focus and selection stay where they are, and diagrams are not drawn again.
 */

/**
 * @param {Element} target whose children are changed
 * @param {string} html made by the server from sanitized Markdown
 */
export function morphChildren(target, html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  reconcile(target, template.content);
}

/**
 * @param {Node} parent
 * @param {Node} wanted
 */
function reconcile(parent, wanted) {
  const kept = matchChildren([...parent.childNodes], [...wanted.childNodes]);
  /** @type {Node | null} */
  let next = parent.firstChild;
  for (const [fresh, old] of kept) {
    if (old === undefined) {
      parent.insertBefore(fresh, next);
      continue;
    }
    if (old === next) next = old.nextSibling;
    else parent.insertBefore(old, next);
    morphNode(old, fresh);
  }
  while (next !== null) {
    const following = next.nextSibling;
    parent.removeChild(next);
    next = following;
  }
}

/**
 * Pairs each wanted node with the one it continues: first by what names it, then by kind and order.
 * @param {readonly ChildNode[]} old
 * @param {readonly ChildNode[]} wanted
 * @returns {Map<ChildNode, ChildNode | undefined>} in the order of `wanted`
 */
function matchChildren(old, wanted) {
  const free = new Set(old);
  const named = groupBy(old, nameOf);
  /** @type {Map<ChildNode, ChildNode | undefined>} */
  const pairs = new Map();
  for (const fresh of wanted) {
    const match = take(named, nameOf(fresh));
    pairs.set(fresh, match);
    if (match !== undefined) free.delete(match);
  }
  const alike = groupBy(free, kindOf);
  for (const fresh of wanted) {
    if (pairs.get(fresh) === undefined) pairs.set(fresh, take(alike, kindOf(fresh)));
  }
  return pairs;
}

/**
 * @param {Iterable<ChildNode>} nodes
 * @param {(node: ChildNode) => string | undefined} key nodes without one are left out
 */
function groupBy(nodes, key) {
  /** @type {Map<string, ChildNode[]>} */
  const groups = new Map();
  for (const node of nodes) {
    const name = key(node);
    if (name === undefined) continue;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [node]);
    else group.push(node);
  }
  return groups;
}

/**
 * The first that is left of a group.
 * @param {Map<string, ChildNode[]>} groups
 * @param {string | undefined} name
 */
function take(groups, name) {
  return name === undefined ? undefined : groups.get(name)?.shift();
}

/**
 * An element with an id is itself or nothing.
 * @param {Node} node
 */
function kindOf(node) {
  return node instanceof Element && node.id !== '' ? undefined : node.nodeName;
}

/**
 * What makes an element the same one after a change.
 * @param {Node} node
 */
function nameOf(node) {
  if (!(node instanceof Element)) return undefined;
  if (node.id !== '') return `#${node.id}`;
  if (node instanceof HTMLElement && node.dataset['diagram'] !== undefined) {
    return `diagram ${node.dataset['diagram']}`;
  }
  // What is folded is known by its heading, wherever it has moved to.
  if (node.nodeName === 'DETAILS') return `details ${node.querySelector('summary')?.textContent}`;
  return undefined;
}

/**
 * @param {Node} old
 * @param {Node} fresh
 */
function morphNode(old, fresh) {
  if (!(old instanceof Element) || !(fresh instanceof Element)) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old instanceof HTMLElement && old.dataset['diagram'] !== undefined) {
    morphDiagram(old, fresh);
    return;
  }
  // Its text is ours: see times.js.
  const isSameTime =
    old instanceof HTMLTimeElement && old.dateTime === fresh.getAttribute('datetime');
  morphAttributes(old, fresh);
  if (!isSameTime) reconcile(old, fresh);
}

/**
 * A changed diagram keeps its picture until diagrams.js has drawn the new one.
 * @param {HTMLElement} old
 * @param {Element} fresh
 */
function morphDiagram(old, fresh) {
  const version = fresh.getAttribute('data-diagram') ?? '';
  const source = old.querySelector('.mermaid');
  if (old.dataset['diagram'] === version || source === null) return;
  old.dataset['diagram'] = version;
  source.textContent = fresh.querySelector('.mermaid')?.textContent ?? '';
}

/**
 * @param {Element} old
 * @param {Element} fresh
 */
function morphAttributes(old, fresh) {
  for (const { name, value } of [...fresh.attributes]) {
    // Whether it is open is the reader's choice from the moment it is shown.
    if (name === 'open' && old.nodeName === 'DETAILS') continue;
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (name === 'open' && old.nodeName === 'DETAILS') continue;
    if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  }
}
