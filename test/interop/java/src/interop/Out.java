package interop;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * One JSON object per line on the real stdout. It keeps its own stream, so that a library (or a tool whose
 * System.out is captured) cannot mix text into it.
 */
final class Out {
    private static final PrintStream STREAM = new PrintStream(
        new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16), false, StandardCharsets.UTF_8);

    private Out() {
    }

    static void event(String event, Object... pairs) {
        StringBuilder line = new StringBuilder(256).append("{\"event\":");
        quote(line, event);
        for (int i = 0; i < pairs.length; i += 2) {
            line.append(',');
            quote(line, (String) pairs[i]);
            line.append(':');
            value(line, pairs[i + 1]);
        }
        line.append('}');
        synchronized (STREAM) {
            STREAM.println(line);
            STREAM.flush();
        }
    }

    private static void value(StringBuilder line, Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) {
            line.append(value);
        } else if (value instanceof Iterable<?> items) {
            char separator = '[';
            for (Object item : items) {
                value(line.append(separator), item);
                separator = ',';
            }
            line.append(separator == '[' ? "[]" : "]");
        } else if (value instanceof Map<?, ?> map) {
            char separator = '{';
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                quote(line.append(separator), String.valueOf(entry.getKey()));
                value(line.append(':'), entry.getValue());
                separator = ',';
            }
            line.append(separator == '{' ? "{}" : "}");
        } else {
            quote(line, String.valueOf(value));
        }
    }

    private static void quote(StringBuilder line, String text) {
        line.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                line.append('\\').append(c);
            } else if (c < ' ') {
                line.append(String.format("\\u%04x", (int) c));
            } else {
                line.append(c);
            }
        }
        line.append('"');
    }
}
