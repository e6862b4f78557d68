/** Something that the person who started the command can act on: shown as its sentence, without a stack. */
export class SetupError extends Error {}

/** Runs the main function of a command; ends the process with 1 when it fails. */
export async function runCommand(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
