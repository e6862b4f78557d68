/** A lab by its name: only those that are wanted are loaded. */
import type { Lab } from './lab.ts';

export async function loadLab(name: string): Promise<Lab> {
  const module = (await import(new URL(`../${name}.lab.js`, import.meta.url).href)) as { lab: Lab };
  return module.lab;
}
