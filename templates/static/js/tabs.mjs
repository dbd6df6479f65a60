// Tabs: one tab stop, arrows move, the panel follows.

/**
 * @param {HTMLElement} list with role=tablist
 * @param {(name: string) => void} chosen
 * @returns {{choose: (name: string) => void, current: () => string}}
 */
export function tabs(list, chosen = () => {}) {
  const all = [...list.querySelectorAll('[role="tab"]')];
  const choose = (tab, { focus = false, quietly = false } = {}) => {
    for (const other of all) {
      const mine = other === tab;
      other.setAttribute('aria-selected', String(mine));
      other.tabIndex = mine ? 0 : -1;
      document.getElementById(other.getAttribute('aria-controls')).hidden = !mine;
    }
    if (focus) tab.focus();
    if (!quietly) chosen(tab.dataset.tab);
  };
  list.addEventListener('click', (event) => {
    const tab = event.target.closest('[role="tab"]');
    if (tab) choose(tab);
  });
  list.addEventListener('keydown', (event) => {
    const at = all.indexOf(document.activeElement);
    const forward = getComputedStyle(list).direction === 'rtl' ? 'ArrowLeft' : 'ArrowRight';
    const step = { ArrowLeft: -1, ArrowRight: -1, [forward]: 1 }[event.key];
    const to = step ? (at + step + all.length) % all.length : { Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    choose(all[to], { focus: true });
  });
  list.hidden = false;
  choose(all.find((tab) => tab.getAttribute('aria-selected') === 'true') ?? all[0], { quietly: true });
  return {
    choose: (name) => choose(all.find((tab) => tab.dataset.tab === name)),
    current: () => all.find((tab) => tab.getAttribute('aria-selected') === 'true').dataset.tab,
  };
}
