const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it may stand in an element or a quoted attribute: in ASCII alone, so that it is right in every encoding a page may have. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (character) => entities[character] as string)
    .replaceAll(/[^\x20-\x7e\n]/gu, (character) => `&#${character.codePointAt(0)};`);
}
