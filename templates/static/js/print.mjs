// A button that prints, where there is a printer to ask.

import './copyfield.mjs';

for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false;
  button.addEventListener('click', () => window.print());
}
