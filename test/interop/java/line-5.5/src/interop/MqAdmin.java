package interop;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * The real mqadmin, many commands in one JVM: each line on stdin is a command line, words separated by tabs (the
 * parent adds -n where the command wants it). What mqadmin printed comes back as one "printed" line.
 */
public final class MqAdmin {
    private MqAdmin() {
    }

    public static void main(String[] argv) {
        Args args = new Args(argv);
        System.setProperty("rocketmq.namesrv.addr", args.need("namesrv"));
        PrintStream out = System.out;
        PrintStream err = System.err;
        Out.event("ready");
        for (String line = Stdin.next(); line != null; line = Stdin.next()) {
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            PrintStream capture = new PrintStream(printed, true, StandardCharsets.UTF_8);
            System.setOut(capture);
            System.setErr(capture);
            try {
                MQAdminStartup.main0(line.split("\t"), null);
            } catch (RuntimeException error) {
                error.printStackTrace(capture);
            } finally {
                System.setOut(out);
                System.setErr(err);
            }
            Out.event("printed", "command", line, "text", printed.toString(StandardCharsets.UTF_8));
        }
        Out.event("done");
        System.exit(0);
    }
}
