// Settings and accounts: copy fields, and a question before what cannot be taken back.

import './copyfield.mjs';

const dialog = document.querySelector('dialog');

for (const form of document.querySelectorAll('form[data-confirm]')) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    dialog.querySelector('[data-question]').textContent = form.dataset.confirm;
    const yes = dialog.querySelector('[data-yes]');
    if (yes) yes.textContent = form.dataset.do;
    dialog.returnValue = '';
    dialog.onclose = () => dialog.returnValue === 'yes' && form.submit();
    dialog.showModal();
  });
}
