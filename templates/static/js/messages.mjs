// Sentences from the message catalogues, as the server hands them to the page: key → text, or key → texts by
// plural form. Placeholders look like {{.Name}}; the number N chooses the plural form. No DOM.

/**
 * @param {Record<string, string | Record<string, string>>} messages
 * @param {string} lang BCP 47
 * @returns {(key: string, data?: Record<string, unknown>) => string} an unknown key comes back as it is
 */
export function translator(messages, lang) {
  const plural = new Intl.PluralRules(lang);
  const number = new Intl.NumberFormat(lang);
  const write = (value) => (typeof value === 'number' ? number.format(value) : String(value ?? ''));
  return (key, data = {}) => {
    const entry = messages[key];
    if (entry === undefined) return key;
    const text = typeof entry === 'string' ? entry : entry[plural.select(data.N)] ?? entry.other;
    return text.replace(/\{\{\s*\.(\w+)\s*\}\}/g, (_, name) => write(data[name]));
  };
}

/** durationWords writes seconds as the server does: "45 s", "24 min", "1 h 5 min". */
export function durationWords(t, seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return t('duration.s', { S: s });
  const h = Math.floor(s / 3600);
  const m = Math.floor(s / 60) % 60;
  if (h === 0) return t('duration.min', { M: m });
  if (m === 0) return t('duration.h', { H: h });
  return t('duration.h_min', { H: h, M: m });
}

/** clockOf writes a length as on a stopwatch: 4:05, 1:04:05. */
export function clockOf(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, '0');
  const h = Math.floor(s / 3600);
  return (h ? h + ':' + two(Math.floor(s / 60) % 60) : Math.floor(s / 60)) + ':' + two(s % 60);
}
