// Lists in which people are ticked: how many are, and a box or button that ticks all that are shown.

for (const form of document.querySelectorAll('form[data-ticks]')) {
  const boxes = (scope) => [...scope.querySelectorAll('input[name=user]')].filter((box) => !box.closest('[hidden]'));
  const chosen = form.querySelector('[data-chosen]');
  const count = () => {
    if (!chosen) return;
    const n = form.querySelectorAll('input[name=user]:checked').length;
    chosen.textContent = String(n || '');
    chosen.closest('.edit-bar').toggleAttribute('data-active', n > 0); // at hand while somebody is ticked
  };
  const tickAll = (scope, on) => {
    for (const box of boxes(scope)) box.checked = on;
    count();
  };
  form.addEventListener('change', count);
  count();

  const button = form.querySelector('[data-all]');
  if (button) {
    button.hidden = false;
    button.addEventListener('click', () => tickAll(form, !boxes(form).every((box) => box.checked)));
  }
  for (const table of form.querySelectorAll('table')) {
    const head = table.querySelector('thead .tick-cell');
    if (!head || !boxes(table).length) continue;
    const all = Object.assign(document.createElement('input'), { type: 'checkbox' });
    all.setAttribute('aria-label', head.textContent);
    head.replaceChildren(all);
    all.addEventListener('change', (event) => {
      event.stopPropagation();
      tickAll(table.tBodies[0], all.checked);
    });
  }
}
