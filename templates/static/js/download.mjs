// Files that are made for the reader. One that takes longer than a second says so, and how much of it has come.

const filename = (disposition) => {
  const long = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? '');
  return long ? decodeURIComponent(long[1]) : (/filename="([^"]+)"/.exec(disposition ?? '')?.[1] ?? '');
};

for (const box of document.querySelectorAll('[data-download]')) {
  const status = box.querySelector('[data-progress]');
  box.addEventListener('click', (event) => {
    const link = event.target.closest('a[download]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    box.querySelector('details')?.removeAttribute('open');
    if (!box.dataset.busy) fetchFile(link.href, box, status);
  });
}

async function fetchFile(address, box, status) {
  box.dataset.busy = 'yes';
  const text = status.querySelector('span');
  let bytes = 0;
  const tell = () => {
    status.hidden = false;
    status.querySelector('progress').hidden = false;
    text.textContent = bytes
      ? status.dataset.sofar.replace(/\{\{\s*\.Size\s*\}\}/, new Intl.NumberFormat(document.documentElement.lang).format(Math.ceil(bytes / 1024)))
      : status.dataset.preparing;
  };
  const timer = setInterval(tell, 1000);
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error(response.statusText);
    const parts = [];
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      bytes += value.length;
    }
    save(new Blob(parts, { type: response.headers.get('Content-Type') ?? '' }), filename(response.headers.get('Content-Disposition')));
    status.hidden = true;
  } catch {
    text.textContent = status.dataset.failed;
    status.hidden = false;
  }
  clearInterval(timer);
  status.querySelector('progress').hidden = true;
  delete box.dataset.busy;
}

function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
