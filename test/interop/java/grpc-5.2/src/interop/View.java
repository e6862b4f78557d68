package interop;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import org.apache.rocketmq.client.apis.message.MessageView;
import org.apache.rocketmq.client.apis.producer.TransactionResolution;

/** Messages that can be checked on arrival: the body's CRC-32 travels as a property. */
final class View {
    static final String UNICODE = "grüße-汉字";

    private View() {
    }

    static byte[] body(int size, String key) {
        byte[] body = new byte[size];
        byte[] pattern = (key + " ").getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < body.length; i++) {
            body[i] = pattern[i % pattern.length];
        }
        return body;
    }

    static String crc(byte[] bytes) {
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return Long.toHexString(crc.getValue());
    }

    static String key(MessageView message) {
        return String.join(" ", message.getKeys());
    }

    static Map<String, Object> describe(MessageView message) {
        ByteBuffer buffer = message.getBody();
        byte[] body = new byte[buffer.remaining()];
        buffer.get(body);
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("key", key(message));
        facts.put("topic", message.getTopic());
        facts.put("tag", message.getTag().orElse(null));
        facts.put("messageId", message.getMessageId().toString());
        facts.put("messageGroup", message.getMessageGroup().orElse(null));
        facts.put("liteTopic", message.getLiteTopic().orElse(null));
        facts.put("deliveryTime", message.getDeliveryTimestamp().orElse(null));
        facts.put("priority", message.getPriority().orElse(null));
        facts.put("attempt", message.getDeliveryAttempt());
        facts.put("bornTime", message.getBornTimestamp());
        facts.put("bodySize", body.length);
        facts.put("intact", crc(body).equals(message.getProperties().get("crc"))
            && UNICODE.equals(message.getProperties().get("unicode")));
        facts.put("properties", message.getProperties());
        return facts;
    }

    static TransactionResolution resolution(String word) {
        return switch (word) {
            case "commit" -> TransactionResolution.COMMIT;
            case "rollback" -> TransactionResolution.ROLLBACK;
            default -> TransactionResolution.UNKNOWN;
        };
    }
}
