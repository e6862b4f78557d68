package interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;

/**
 * The parent steers a running program by lines on stdin. "stop" and end of file mean the same: a test runner
 * that died leaves no client behind.
 */
final class Stdin {
    private static final BufferedReader READER =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    private Stdin() {
    }

    /** The next line, or null when it is time to stop. */
    static String next() {
        try {
            String line = READER.readLine();
            return line == null || line.equals("stop") ? null : line;
        } catch (IOException error) {
            return null;
        }
    }

    /** A latch that opens on "stop". */
    static CountDownLatch stopLatch() {
        CountDownLatch latch = new CountDownLatch(1);
        Thread reader = new Thread(() -> {
            while (next() != null) {
                // Lines other than "stop" mean nothing to this program.
            }
            latch.countDown();
        }, "stdin");
        reader.setDaemon(true);
        reader.start();
        return latch;
    }
}
