// @ts-check
/** The buttons of a check run's page. The page is drawn anew while one looks, so clicks are heard from outside. */

/** @param {() => Promise<void>} onPressed refreshes the page */
export function startCheckButtons(onPressed) {
  const desk = document.querySelector('#check-desk');
  if (!(desk instanceof HTMLElement)) return;
  document.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest('[data-press]') : null;
    if (button instanceof HTMLButtonElement) void press(desk, button).then(onPressed);
  });
}

/**
 * @param {HTMLElement} desk
 * @param {HTMLButtonElement} button
 */
async function press(desk, button) {
  button.disabled = true;
  const identifier = button.dataset['press'] ?? '';
  try {
    const response = await fetch(desk.dataset['action'] ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-csrf-token': desk.dataset['csrf'] ?? '' },
      body: JSON.stringify({ identifier }),
    });
    desk.textContent = (await response.json()).message;
  } catch {
    desk.textContent = 'The sandbox did not answer. Is it still running?';
  }
  button.disabled = false;
}
