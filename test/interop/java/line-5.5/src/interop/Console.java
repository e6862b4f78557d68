package interop;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.trace.TraceConstants;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.common.topic.TopicValidator;
import org.apache.rocketmq.remoting.protocol.subscription.SubscriptionGroupConfig;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/**
 * The calls of rocketmq-dashboard's back end, by their names there: each line on stdin is one, words separated by
 * blanks. The result comes back as what its getters say.
 */
public final class Console {
    private static final long WAIT_MILLIS = 10_000;

    /** A call with the words behind its name. */
    private interface Call {
        Object run(String[] words) throws Exception;
    }

    private final DefaultMQAdminExt admin = new DefaultMQAdminExt(WAIT_MILLIS);
    private final Map<String, Call> calls = new HashMap<>();
    private final String namesrv;

    private Console(String namesrv) {
        this.namesrv = namesrv;
        admin.setNamesrvAddr(namesrv);
        admin.setInstanceName("console");
        shows();
        topics();
        groups();
        messages();
        rights();
    }

    public static void main(String[] argv) throws Exception {
        Console console = new Console(new Args(argv).need("namesrv"));
        console.admin.start();
        Dialogue.answer(words -> {
            return plain(console.calls.get(words[0]).run(words));
        });
        console.admin.shutdown();
        System.exit(0);
    }

    private void shows() {
        calls.put("examineBrokerClusterInfo", words -> admin.examineBrokerClusterInfo());
        calls.put("fetchBrokerRuntimeStats", words -> admin.fetchBrokerRuntimeStats(words[1]));
        calls.put("getBrokerConfig", words -> admin.getBrokerConfig(words[1]));
        calls.put("getNameServerAddressList", words -> admin.getNameServerAddressList());
        calls.put("viewBrokerStatsData", words -> admin.viewBrokerStatsData(words[1], words[2], words[3]));
        calls.put("getKVConfig", words -> admin.getKVConfig(words[1], words[2]));
    }

    private void topics() {
        calls.put("fetchAllTopicList", words -> admin.fetchAllTopicList());
        calls.put("getAllTopicConfig", words -> admin.getAllTopicConfig(words[1], WAIT_MILLIS));
        calls.put("examineTopicConfig", words -> admin.examineTopicConfig(words[1], words[2]));
        calls.put("examineTopicStats", words -> admin.examineTopicStats(words[1]));
        calls.put("examineTopicRouteInfo", words -> admin.examineTopicRouteInfo(words[1]));
        calls.put("queryTopicConsumeByWho", words -> admin.queryTopicConsumeByWho(words[1]));
        calls.put("createAndUpdateTopicConfig", words -> {
            admin.createAndUpdateTopicConfig(words[1], new TopicConfig(words[2], 2, 2, 6));
            return "done";
        });
        calls.put("deleteTopicInBroker", words -> {
            admin.deleteTopicInBroker(java.util.Set.of(words[1]), words[2]);
            return "done";
        });
        calls.put("deleteTopicInNameServer", words -> {
            admin.deleteTopicInNameServer(java.util.Set.of(namesrv), words[1]);
            return "done";
        });
        calls.put("send", words -> {
            DefaultMQProducer producer = new DefaultMQProducer(TopicValidator.RMQ_SYS_SELF_TEST_TOPIC);
            producer.setNamesrvAddr(namesrv);
            producer.setInstanceName("console-producer");
            producer.start();
            try {
                return producer.send(new Message(words[1], "tag", "console-key", new byte[] {65}));
            } finally {
                producer.shutdown();
            }
        });
    }

    private void groups() {
        calls.put("getAllSubscriptionGroup", words -> admin.getAllSubscriptionGroup(words[1], WAIT_MILLIS));
        calls.put("examineSubscriptionGroupConfig", words ->
            admin.examineSubscriptionGroupConfig(words[1], words[2]));
        calls.put("examineConsumeStats", words ->
            words.length == 2 ? admin.examineConsumeStats(words[1]) : admin.examineConsumeStats(words[1], words[2]));
        calls.put("examineConsumerConnectionInfo", words -> admin.examineConsumerConnectionInfo(words[1]));
        calls.put("getConsumerRunningInfo", words -> admin.getConsumerRunningInfo(words[1], words[2], false));
        calls.put("createAndUpdateSubscriptionGroupConfig", words -> {
            SubscriptionGroupConfig config = new SubscriptionGroupConfig();
            config.setGroupName(words[2]);
            admin.createAndUpdateSubscriptionGroupConfig(words[1], config);
            return "done";
        });
        calls.put("deleteSubscriptionGroup", words -> {
            admin.deleteSubscriptionGroup(words[1], words[2], true);
            return "done";
        });
        calls.put("resetOffsetByTimestamp", words ->
            admin.resetOffsetByTimestamp(words[2], words[1], Long.parseLong(words[3]), true));
        calls.put("resetOffsetByTimestampOld", words ->
            admin.resetOffsetByTimestampOld(words[1], words[2], Long.parseLong(words[3]), true));
        calls.put("examineProducerConnectionInfo", words -> admin.examineProducerConnectionInfo(words[1], words[2]));
        calls.put("getAllProducerInfo", words -> admin.getAllProducerInfo(words[1]));
    }

    private void messages() {
        calls.put("viewMessage", words -> facts(admin.viewMessage(words[1], words[2])));
        calls.put("queryMessage", words ->
            admin.queryMessage(words[1], words[2], 64, 0, System.currentTimeMillis() + WAIT_MILLIS).getMessageList()
                .stream().map(Console::facts).toList());
        calls.put("queryMessageTrace", words ->
            admin.queryMessage(words[1], words[2], 64, 0, System.currentTimeMillis() + WAIT_MILLIS).getMessageList()
                .stream().map(one -> new String(one.getBody()).split(String.valueOf(
                    TraceConstants.CONTENT_SPLITOR))[0]).distinct().toList());
        calls.put("messageTrackDetail", words ->
            admin.messageTrackDetail(admin.viewMessage(words[1], words[2])));
        calls.put("consumeMessageDirectly", words ->
            admin.consumeMessageDirectly(words[1], words[2], words[3], words[4]));
        calls.put("pull", words -> {
            DefaultMQPullConsumer consumer = new DefaultMQPullConsumer("TOOLS_CONSUMER");
            consumer.setNamesrvAddr(namesrv);
            consumer.setInstanceName("console-consumer");
            consumer.start();
            try {
                MessageQueue queue = consumer.fetchSubscribeMessageQueues(words[1]).stream()
                    .filter(one -> one.getQueueId() == 0).findFirst().orElseThrow();
                long from = consumer.searchOffset(queue, 0);
                return consumer.pull(queue, "*", from, 32).getMsgFoundList().stream().map(Console::facts).toList();
            } finally {
                consumer.shutdown();
            }
        });
    }

    private void rights() {
        calls.put("listUser", words -> admin.listUser(words[1], ""));
        calls.put("listAcl", words -> admin.listAcl(words[1], "", ""));
    }

    /** Maps, lists, texts and numbers in place of RocketMQ's objects. */
    private static Object plain(Object value) throws InvocationTargetException, IllegalAccessException {
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> plain = new TreeMap<>();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                plain.put(String.valueOf(entry.getKey()), plain(entry.getValue()));
            }
            return plain;
        }
        if (value instanceof Iterable<?> items) {
            List<Object> plain = new ArrayList<>();
            for (Object item : items) {
                plain.add(plain(item));
            }
            return plain;
        }
        if (value == null || value instanceof Enum || !value.getClass().getName().startsWith("org.apache.rocketmq")) {
            return value;
        }
        Map<String, Object> plain = new TreeMap<>();
        for (Method method : value.getClass().getMethods()) {
            boolean gets = method.getName().matches("(?:get|is)[A-Z].*") && method.getParameterCount() == 0;
            if (gets && !method.getName().equals("getClass")) {
                plain.put(method.getName().replaceFirst("^(?:get|is)", ""), plain(method.invoke(value)));
            }
        }
        return plain;
    }

    private static Map<String, Object> facts(MessageExt message) {
        return Map.of("topic", message.getTopic(), "queueId", message.getQueueId(), "keys",
            String.valueOf(message.getKeys()), "body", List.of(message.getBody().length), "properties",
            message.getProperties());
    }
}
