/** A report as JSON for programs: bytes in hex, and where each of their fields lies. */
import type { Report } from './report.ts';

export function jsonOfReport({ title, facts, stages, spans }: Report): object {
  return {
    title,
    facts: Object.fromEntries(facts),
    stages: stages.map((stage) => ({
      ...stage,
      steps: stage.steps.map((step) => ({
        ...step,
        pieces: step.pieces.map((piece) => ({ ...piece, bytes: Buffer.from(piece.bytes).toString('hex') })),
      })),
    })),
    spans,
  };
}
