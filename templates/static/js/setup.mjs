// Set-up: the time zone of this browser, which is nearly always the school's, and all others to choose from.

const zone = document.getElementById('f-zone');
const list = document.getElementById('zones');

zone.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone ?? '';
for (const name of Intl.supportedValuesOf?.('timeZone') ?? []) {
  list.append(Object.assign(document.createElement('option'), { value: name }));
}
