// Where the scripts under test live.
export const js = new URL('../templates/static/js/', import.meta.url);
export const css = new URL('../templates/static/css/', import.meta.url);
