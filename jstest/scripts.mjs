// Where the scripts under test live.
export const js = new URL('../templates/static/js/', import.meta.url);
export const css = new URL('../templates/static/css/', import.meta.url);
export const vendor = new URL('../templates/static/vendor/', import.meta.url);
