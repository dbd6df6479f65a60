// A page that could not be made tries again by itself: at a time of its own, because a whole school may be
// looking at the same page.

import { between } from './retry.mjs';

const main = document.getElementById('main');
const line = main.querySelector('[data-retry-line]');
const tries = Number(sessionStorage.getItem('chalkcast.tries') ?? 0);
let left = Math.round(between(4, 10) * Math.min(1 + tries / 2, 4));

async function tick() {
  if (left > 0) {
    line.textContent = main.dataset.words.replace(/\{\{\s*\.S\s*\}\}/, left);
    left--;
    setTimeout(tick, 1000);
    return;
  }
  line.textContent = main.dataset.again;
  sessionStorage.setItem('chalkcast.tries', String(tries + 1));
  try {
    const response = await fetch(location.href, { cache: 'no-store', redirect: 'follow' });
    if (response.status !== 503 && response.status !== 429) {
      sessionStorage.removeItem('chalkcast.tries');
      location.reload();
      return;
    }
  } catch {
    // Nobody answers yet.
  }
  left = Math.round(between(5, 12));
  tick();
}

tick();
