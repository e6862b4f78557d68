/** Texts of others in a page: nothing in them is markup. */
import { visibleLine } from '../../lib/visible.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return visibleLine(text).replace(/[&<>"']/g, (found) => ENTITIES[found] as string);
}
