package interop;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A client's exception as facts: the code of the proxy's status, which stands in the text, where there is one. */
final class Errors {
    private static final Pattern CODE = Pattern.compile("response-code=(\\d+)");

    private Errors() {
    }

    static Map<String, Object> describe(Throwable error) {
        Map<String, Object> facts = new LinkedHashMap<>();
        Matcher matcher = CODE.matcher(String.valueOf(error.getMessage()));
        facts.put("type", error.getClass().getSimpleName());
        facts.put("code", matcher.find() ? Integer.parseInt(matcher.group(1)) : -1);
        facts.put("message", String.valueOf(error.getMessage()));
        return facts;
    }
}
