package interop;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Messages that can be checked on arrival: the body's CRC-32 travels as a user property. */
final class Payload {
    private Payload() {
    }

    static Message build(Args args, int number) {
        String[] tags = args.text("tags", "").split(",");
        String key = args.text("prefix", "k") + "-" + number;
        Message message = new Message(args.need("topic"), body(args, number));
        if (!tags[0].isEmpty()) {
            message.setTags(tags[number % tags.length]);
        }
        message.setKeys(key);
        message.putUserProperty("crc", Long.toHexString(crc(message.getBody())));
        message.putUserProperty("number", Integer.toString(number));
        message.putUserProperty("unicode", "grüße-汉字");
        if (args.number("shards", 0) > 0) {
            message.putUserProperty("shard", Integer.toString(number % args.number("shards", 0)));
        }
        if (args.number("delay-level", 0) > 0) {
            message.setDelayTimeLevel(args.number("delay-level", 0));
        }
        if (args.time("priority") != null) {
            Compat.priority(message, args.number("priority", 0));
        }
        Compat.time(message, args);
        return message;
    }

    private static byte[] body(Args args, int number) {
        byte[] body = new byte[args.number("body", 100)];
        if (args.flag("random-body")) {
            new Random(number).nextBytes(body);
            return body;
        }
        byte[] pattern = ("message " + number + " ").getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < body.length; i++) {
            body[i] = pattern[i % pattern.length];
        }
        return body;
    }

    static long crc(byte[] bytes) {
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return crc.getValue();
    }

    static boolean intact(MessageExt message) {
        return Long.toHexString(crc(message.getBody())).equals(message.getUserProperty("crc"))
            && "grüße-汉字".equals(message.getUserProperty("unicode"));
    }

    /** What a test may want to know of a message that arrived. */
    static Map<String, Object> describe(MessageExt message) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("key", message.getKeys());
        facts.put("topic", message.getTopic());
        facts.put("tag", message.getTags());
        facts.put("msgId", message.getMsgId());
        facts.put("queueId", message.getQueueId());
        facts.put("queueOffset", message.getQueueOffset());
        facts.put("physicalOffset", message.getCommitLogOffset());
        facts.put("reconsumeTimes", message.getReconsumeTimes());
        facts.put("intact", intact(message));
        facts.put("bodySize", message.getBody().length);
        facts.put("storeSize", message.getStoreSize());
        facts.put("sysFlag", message.getSysFlag());
        facts.put("bornTime", message.getBornTimestamp());
        facts.put("storeTime", message.getStoreTimestamp());
        facts.put("storeHost", String.valueOf(message.getStoreHost()));
        facts.put("properties", message.getProperties());
        return facts;
    }
}
