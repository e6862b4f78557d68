package interop;

import java.util.HashMap;
import java.util.Map;

/** Command line of the form --name value. A name that nobody gave falls back to the caller's default. */
final class Args {
    private final Map<String, String> values = new HashMap<>();

    Args(String[] argv) {
        for (int i = 0; i < argv.length; i += 2) {
            if (!argv[i].startsWith("--") || i + 1 == argv.length) {
                throw new IllegalArgumentException("expected --name value, got " + argv[i]);
            }
            values.put(argv[i].substring(2), argv[i + 1]);
        }
    }

    String need(String name) {
        String value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("missing --" + name);
        }
        return value;
    }

    String text(String name, String fallback) {
        return values.getOrDefault(name, fallback);
    }

    int number(String name, int fallback) {
        return values.containsKey(name) ? Integer.parseInt(values.get(name)) : fallback;
    }

    /** Null where nobody gave the name. */
    Long time(String name) {
        String value = values.get(name);
        return value == null ? null : Long.valueOf(value);
    }

    boolean flag(String name) {
        return "true".equals(values.get(name));
    }
}
