// The register's table: sort by a column, find a student.

import { search } from './search.mjs';

const table = document.querySelector('[data-sortable]');
const lang = document.documentElement.lang;

if (table) {
  sortable(table);
  const found = document.querySelector('[data-found]');
  const all = found.textContent;
  search(document.querySelector('[data-search]'), () => table.tBodies[0].rows, (shown, total) => {
    found.textContent = shown === total ? all : found.dataset.words.replace(/\{\{\s*\.N\s*\}\}/, shown).replace(/\{\{\s*\.All\s*\}\}/, total);
  });
}

function sortable(table) {
  const collator = new Intl.Collator(lang, { numeric: true });
  const value = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
  const compare = {
    text: (a, b) => collator.compare(a, b),
    number: (a, b) => (a === '') - (b === '') || Number(a) - Number(b),
  };
  for (const head of table.tHead.rows[0].cells) {
    if (!head.dataset.sort) continue;
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'sort';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') === 'ascending';
      for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const by = compare[head.dataset.sort];
      const sign = down ? -1 : 1;
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => sign * by(value(a, head.cellIndex), value(b, head.cellIndex)));
      table.tBodies[0].append(...rows);
    });
  }
}
