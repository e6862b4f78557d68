package interop;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * The questions that any client may ask, one per line on stdin, words separated by blanks: key TOPIC KEY,
 * unique TOPIC MSGID, offset-id TOPIC OFFSETMSGID, offsets TOPIC [TIMESTAMP]. Each gets one "answer" or
 * "refused" line, in order.
 */
public final class Query {
    private Query() {
    }

    public static void main(String[] argv) throws Exception {
        Args args = new Args(argv);
        DefaultMQProducer client = new DefaultMQProducer(args.text("group", "interop-query"));
        client.setNamesrvAddr(args.need("namesrv"));
        client.start();
        Dialogue.answer(words -> ask(client, words));
        client.shutdown();
        Out.event("done");
        System.exit(0);
    }

    @SuppressWarnings("deprecation")
    private static List<Object> ask(DefaultMQProducer client, String[] words) throws Exception {
        List<Object> found = new ArrayList<>();
        switch (words[0]) {
            case "key" -> {
                long now = System.currentTimeMillis();
                QueryResult result = client.queryMessage(words[1], words[2], 64, now - 3_600_000, now + 60_000);
                for (MessageExt message : result.getMessageList()) {
                    found.add(Payload.describe(message));
                }
            }
            case "unique", "offset-id" -> found.add(Payload.describe(client.viewMessage(words[1], words[2])));
            case "offsets" -> {
                for (MessageQueue queue : new TreeSet<>(client.fetchPublishMessageQueues(words[1]))) {
                    found.add(offsets(client, queue, words));
                }
            }
            default -> throw new IllegalArgumentException("question " + words[0]);
        }
        return found;
    }

    @SuppressWarnings("deprecation")
    private static Object offsets(DefaultMQProducer client, MessageQueue queue, String[] words) throws Exception {
        java.util.Map<String, Object> facts = new java.util.LinkedHashMap<>();
        facts.put("queueId", queue.getQueueId());
        facts.put("min", client.minOffset(queue));
        facts.put("max", client.maxOffset(queue));
        facts.put("earliest", client.earliestMsgStoreTime(queue));
        facts.put("atZero", client.searchOffset(queue, 0));
        facts.put("atEnd", client.searchOffset(queue, System.currentTimeMillis() + 60_000));
        if (words.length > 2) {
            facts.put("atTime", client.searchOffset(queue, Long.parseLong(words[2])));
        }
        return facts;
    }
}
