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
    const { message } = await response.json();
    show(desk, response.ok, response.ok ? `${button.innerText.trim()}: ${message}` : message);
  } catch {
    show(desk, false, 'The sandbox did not answer. Is it still running?');
  }
  button.disabled = false;
}

/**
 * An App answers a button with a comment, which is on another page than the button.
 * @param {HTMLElement} desk
 * @param {boolean} wasTaken
 * @param {string} message
 */
function show(desk, wasTaken, message) {
  desk.classList.toggle('refused', !wasTaken);
  desk.textContent = message;
  const conversation = desk.dataset['conversation'] ?? '';
  if (!wasTaken || conversation === '') return;
  const link = document.createElement('a');
  link.href = conversation;
  link.textContent = 'conversation';
  desk.append(' It answers in the ', link, '.');
}
