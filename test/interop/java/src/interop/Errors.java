package interop;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;

/** A client's exception as facts: the broker's response code where there is one. */
final class Errors {
    private Errors() {
    }

    static Map<String, Object> describe(Throwable error) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("type", error.getClass().getSimpleName());
        facts.put("code", code(error));
        facts.put("message", String.valueOf(error.getMessage()));
        if (error.getCause() != null) {
            facts.put("cause", String.valueOf(error.getCause()));
        }
        return facts;
    }

    static int code(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof MQBrokerException refused) {
                return refused.getResponseCode();
            }
            if (cause instanceof MQClientException refused && refused.getResponseCode() > 0) {
                return refused.getResponseCode();
            }
        }
        return -1;
    }
}
