// The register's table: sort by a column, find a student, set statuses by keyboard, take a file away.

import './download.mjs';
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
  const bar = document.querySelector('[data-edit-bar]');
  if (bar) editable(table, bar);
}

const filter = document.querySelector('form.filter');
if (filter) filter.addEventListener('input', () => follow(filter));

// follow gives the files on offer what is chosen in the filter, also before somebody presses its button.
function follow(filter) {
  const chosen = new URLSearchParams(new FormData(filter));
  for (const link of document.querySelectorAll('a[download]')) {
    const url = new URL(link.href);
    for (const { name } of filter.elements) url.searchParams.delete(name);
    for (const [name, value] of chosen) if (value) url.searchParams.append(name, value);
    link.href = url;
  }
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

// editable adds to the form what a keyboard wants: arrows from row to row, a letter for each status, and a box
// that ticks all rows that are shown.
function editable(table, bar) {
  const body = table.tBodies[0];
  const box = (row) => row.querySelector('input[name=student]');
  const shown = () => [...body.rows].filter((row) => !row.hidden);
  const chosen = bar.querySelector('[data-chosen]');
  const count = () => {
    const n = body.querySelectorAll('input[name=student]:checked').length;
    bar.toggleAttribute('data-active', n > 0);
    chosen.textContent = n ? chosen.dataset.words.replace(/\{\{\s*\.N\s*\}\}/, n) : '';
  };
  body.addEventListener('change', count);
  count();

  const head = table.querySelector('[data-tick-all]');
  const all = document.createElement('input');
  all.type = 'checkbox';
  all.setAttribute('aria-label', head.textContent.trim());
  head.replaceChildren(all);
  all.addEventListener('change', () => {
    for (const row of shown()) box(row).checked = all.checked;
    count();
  });

  const letters = { p: 'present', l: 'late', e: 'left_early', h: 'partial', a: 'absent', x: 'excused' };
  bar.querySelector('[data-keys-help]').hidden = false;
  body.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.name !== 'student') return;
    const rows = shown();
    const at = rows.indexOf(event.target.closest('tr'));
    const next = { ArrowDown: rows[at + 1], ArrowUp: rows[at - 1] }[event.key];
    const status = letters[event.key.toLowerCase()];
    if (next) {
      event.preventDefault();
      box(next).focus();
    } else if (status) {
      event.preventDefault();
      event.target.checked = true;
      count();
      bar.querySelector('[name=status]').value = status;
      bar.querySelector('[name=reason]').focus();
    }
  });
}
