// Settings: copy fields, and a question before a key is revoked.

import './copyfield.mjs';

const dialog = document.querySelector('dialog');

for (const form of document.querySelectorAll('form[data-confirm]')) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    dialog.querySelector('[data-question]').textContent = form.dataset.confirm;
    dialog.returnValue = '';
    dialog.onclose = () => dialog.returnValue === 'yes' && form.submit();
    dialog.showModal();
  });
}
