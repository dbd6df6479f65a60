// Copy fields: show a hidden secret, copy it, say so.

for (const field of document.querySelectorAll('.copy')) {
  const input = field.querySelector('.copy-text');
  const copy = field.querySelector('.copy-do');
  const reveal = field.querySelector('.copy-show');
  const label = copy.querySelector('span');
  const words = label.textContent;

  copy.hidden = false;
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(input.value);
    } catch {
      // Without https there is no clipboard for scripts, but the browser still copies a selection.
      const type = input.type;
      input.type = 'text';
      input.select();
      document.execCommand('copy');
      input.type = type;
    }
    label.textContent = copy.dataset.done;
    setTimeout(() => (label.textContent = words), 2000);
  });
  input.addEventListener('focus', () => input.select());

  if (!reveal) continue;
  reveal.hidden = false;
  reveal.addEventListener('click', () => {
    const shown = input.type === 'text';
    input.type = shown ? 'password' : 'text';
    reveal.setAttribute('aria-pressed', String(!shown));
  });
}
