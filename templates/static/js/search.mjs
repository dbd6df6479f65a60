// Finding people in a long list as one types. No DOM in match.

/** fold makes text comparable: lower case, without accents and full-width forms. */
export function fold(text) {
  return text.normalize('NFKD').replace(/\p{Mn}/gu, '').toLowerCase();
}

/** matches returns whether every word of query begins or lies in text. */
export function matches(text, query) {
  const folded = fold(text);
  return fold(query).split(/\s+/).every((word) => folded.includes(word));
}

/**
 * search hides what does not match.
 * @param {HTMLElement} label with the input; hidden until there is script
 * @param {() => Iterable<HTMLElement>} items
 * @param {(shown: number, all: number) => void} told
 */
export function search(label, items, told = () => {}) {
  if (!label) return () => {};
  const input = label.querySelector('input');
  const apply = () => {
    let shown = 0;
    let all = 0;
    for (const item of items()) {
      all++;
      item.hidden = !matches(item.textContent, input.value);
      if (!item.hidden) shown++;
    }
    told(shown, all);
  };
  label.hidden = false;
  input.addEventListener('input', apply);
  return apply;
}
