package interop;

/** A program that reads commands from stdin and answers each of them, by "answer" or "refused". */
final class Dialogue {
    /** The words of a line; what it returns is told. */
    interface Command {
        Object run(String[] words) throws Exception;
    }

    private Dialogue() {
    }

    /** Says that the program is ready, and answers until it is time to stop. */
    static void answer(Command command) {
        Out.event("ready");
        for (String line = Stdin.next(); line != null; line = Stdin.next()) {
            try {
                Out.event("answer", "question", line, "result", command.run(line.split(" ")));
            } catch (Exception error) {
                Out.event("refused", "question", line, "error", Errors.describe(error));
            }
        }
    }
}
