// Setting up OBS: the server says which of the four steps it has seen, this page ticks them.

import './copyfield.mjs';
import { listen } from './events.mjs';
import { $, api, main, setText, show } from './page.mjs';

function render({ steps, seen, all }) {
  for (const { name, done, says } of steps) {
    const step = $(`[data-step="${name}"]`);
    step.classList.toggle('is-done', done);
    setText($('[data-tick]', step), done ? main.dataset.done : main.dataset.open);
    setText($('[data-says]', step), says);
  }
  setText($('[data-seen]'), seen);
  show($('[data-seen]'), Boolean(seen));
  show($('[data-all]'), all);
}

listen(() => '/api/v1/me/encoder/events', { encoder: render }, async () => {
  try {
    render(await api('GET', 'me/encoder'));
  } catch {
    // The stream or the next question tells.
  }
});
