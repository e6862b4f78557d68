package interop;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * The real mqadmin, many commands in one JVM: each line on stdin is a command line, words separated by tabs (the
 * parent adds -n where the command wants it). What mqadmin printed comes back as one "printed" line.
 * A client that shuts down waits up to 3 s for a thread of its own that waits for events: here it is woken at once.
 * A first word "until=TEXT" is for commands that never end: they are interrupted when they have printed that.
 */
public final class MqAdmin {
    private static final String UNTIL = "until=";
    private static final long PATIENCE_MILLIS = 60_000;

    private MqAdmin() {
    }

    public static void main(String[] argv) throws InterruptedException {
        Args args = new Args(argv);
        PrintStream out = System.out;
        PrintStream err = System.err;
        hurry(Thread.currentThread());
        Out.event("ready");
        for (String line = Stdin.next(); line != null; line = Stdin.next()) {
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            PrintStream capture = new PrintStream(printed, true, StandardCharsets.UTF_8);
            // A command's -n stays in this property.
            System.setProperty("rocketmq.namesrv.addr", args.need("namesrv"));
            System.setOut(capture);
            System.setErr(capture);
            String text;
            try {
                text = run(line.split("\t"), printed, capture);
            } finally {
                System.setOut(out);
                System.setErr(err);
            }
            Out.event("printed", "command", line, "text", text);
        }
        Out.event("done");
        System.exit(0);
    }

    private static void hurry(Thread main) {
        Thread thread = new Thread(() -> {
            for (; ; ) {
                boolean waits = Arrays.stream(main.getStackTrace())
                    .anyMatch(frame -> frame.getClassName().endsWith(".ServiceThread"));
                if (waits) {
                    Thread.getAllStackTraces().keySet().stream()
                        .filter(one -> one.getName().startsWith("NettyEventExecutor")).forEach(Thread::interrupt);
                }
                try {
                    Thread.sleep(10);
                } catch (InterruptedException end) {
                    return;
                }
            }
        }, "hurry");
        thread.setDaemon(true);
        thread.start();
    }

    private static String run(String[] words, ByteArrayOutputStream printed, PrintStream capture)
        throws InterruptedException {
        if (!words[0].startsWith(UNTIL)) {
            command(words, capture);
            return printed.toString(StandardCharsets.UTF_8);
        }
        String last = words[0].substring(UNTIL.length());
        String[] rest = Arrays.copyOfRange(words, 1, words.length);
        Thread thread = new Thread(() -> command(rest, capture), "command");
        thread.start();
        String text = "";
        for (long end = System.currentTimeMillis() + PATIENCE_MILLIS; System.currentTimeMillis() < end; ) {
            text = printed.toString(StandardCharsets.UTF_8);
            if (text.contains(last) || !thread.isAlive()) {
                break;
            }
            Thread.sleep(20);
        }
        thread.interrupt();
        thread.join(PATIENCE_MILLIS);
        return text;
    }

    private static void command(String[] words, PrintStream capture) {
        try {
            boolean help = words.length == 1 && words[0].equals("help");
            MQAdminStartup.main0(help ? new String[0] : words, null);
        } catch (RuntimeException error) {
            error.printStackTrace(capture);
        }
    }
}
