package interop;

import java.util.HashMap;
import java.util.Map;

/** Which deliveries fail: "KEY=TIMES,...", where "*" stands for every key that is not named. */
final class Failing {
    private final Map<String, Integer> left = new HashMap<>();

    Failing(String text) {
        for (String part : text.split(",")) {
            if (!part.isEmpty()) {
                left.put(part.substring(0, part.indexOf('=')), Integer.valueOf(part.substring(part.indexOf('=') + 1)));
            }
        }
    }

    synchronized boolean fails(String key) {
        int times = left.getOrDefault(key, left.getOrDefault("*", 0));
        if (times > 0) {
            left.put(key, times - 1);
        }
        return times > 0;
    }
}
